"""What the container that we run in may use (cgroup version 2 and 1)."""

import math
from dataclasses import dataclass
from pathlib import Path

# Version 1 says "no limit" by a number near 2^63.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class Limits:
    """``processors`` may be a fraction; ``memory`` in bytes. None: no limit."""

    processors: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes that the container holds and that cannot be reclaimed at once (file caches left out)."""

    memory: int = 0


def parse_cpu_max(text: str) -> float | None:
    """``cpu.max`` of version 2: quota and period in microseconds, or ``max``."""
    words = text.split()
    if len(words) != 2 or words[0] == "max":
        return None
    return _ratio(words[0], words[1])


def _ratio(quota: str, period: str) -> float | None:
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


def parse_bytes(text: str) -> int | None:
    """A byte limit; None for ``max``, the huge number of version 1, or nothing."""
    try:
        value = int(text)
    except ValueError:
        return None
    return value if 0 < value < _NO_LIMIT else None


def parse_membership(text: str) -> dict[str, str]:
    """``/proc/self/cgroup``: the path by controller; version 2's under the empty name."""
    paths: dict[str, str] = {}
    for line in text.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            paths.update(dict.fromkeys(parts[1].split(","), parts[2]))
    return paths


def parse_inactive_file(stat: str) -> int:
    """File cache that gives way first, from ``memory.stat``."""
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name in {"inactive_file", "total_inactive_file"} and value.isdigit():
            return int(value)
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _folders(root: Path, controller: str) -> list[Path]:
    """The folders that limit this process, its own first, then its ancestors'.

    In a container the path names a folder of the host's that is not there; then the mount's top holds the limits.
    """
    paths = parse_membership(_text(root / "proc/self/cgroup"))
    top = root / "sys/fs/cgroup"
    if controller in paths:
        top, path = top / controller, paths[controller]
    else:
        path = paths.get("", "/")
    own = top / path.strip("/")
    folders = [own, *(parent for parent in own.parents if parent.is_relative_to(top))]
    return [folder for folder in folders if folder.is_dir()] or [top]


def read_limits(root: Path = Path("/")) -> Limits:
    """The tightest limits on the way up."""
    processors: list[float] = []
    for folder in _folders(root, "cpu"):
        old = _ratio(_text(folder / "cpu.cfs_quota_us") or "0", _text(folder / "cpu.cfs_period_us") or "0")
        processors += [share for share in (parse_cpu_max(_text(folder / "cpu.max")), old) if share is not None]
    memory: list[int] = []
    for folder in _folders(root, "memory"):
        texts = (_text(folder / "memory.max"), _text(folder / "memory.limit_in_bytes"))
        memory += [size for size in map(parse_bytes, texts) if size is not None]
    least = min(processors, default=math.inf)
    return Limits(None if math.isinf(least) else least, min(memory, default=None))


def read_usage(root: Path = Path("/")) -> Usage:
    """What the innermost container holds."""
    folder = _folders(root, "memory")[0]
    current = parse_bytes(_text(folder / "memory.current")) or parse_bytes(_text(folder / "memory.usage_in_bytes"))
    return Usage(max(0, (current or 0) - parse_inactive_file(_text(folder / "memory.stat"))))
