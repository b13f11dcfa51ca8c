"""What an emulated hub should do wrong, for which paths and how often. Pure but for the counting."""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Literal, get_args

Kind = Literal[
    "status", "cut", "wrong-bytes", "short-length", "long-length", "no-range", "wrong-content-range", "redirect-loop",
    "redirect-refused", "slow", "stall", "etag", "html", "reset", "no-length", "expired",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
EVER = 1 << 62
_SEPARATOR = re.compile(r"[,\s]+")


class FaultError(ValueError):
    """A fault that does not exist or lacks what it needs."""


@dataclass
class Fault:
    """One thing that goes wrong.

    ``path``: pattern (``*``, ``?``) of the file's path in its repository or of the request's path; ``side``: requests
    to the hub itself, to its content network (``cdn``) or any; ``method``: only these requests; ``times``: how often;
    ``skip``: how many matching requests go well first.

    kinds
        status              answers ``status`` (429 with ``retry_after`` seconds, 500, 502, 503 …)
        cut, reset          ends the connection after ``at`` bytes of the body: in order, or with a TCP reset
        stall               sends ``at`` bytes, then nothing more
        slow                ``rate`` bytes a second
        wrong-bytes         byte ``at`` of the file is another one
        short-length        a body of ``by`` bytes less, and a length that says so; long-length: of zeros more
        no-length           no Content-Length: the connection's end ends the body
        no-range            the whole file (200) where a part was asked for
        wrong-content-range a part that starts ``by`` bytes later than asked for
        etag                another ETag at each request
        html                a page of a captive portal with status 200
        redirect-loop       redirects to itself; redirect-refused: to a port where nobody listens
        expired             403, as the content network answers to an address whose signature is too old
    """

    kind: Kind
    path: str = "*"
    side: Literal["hub", "cdn", "any"] = "any"
    method: str = "*"
    times: int = EVER
    skip: int = 0
    status: int = 500
    retry_after: float | None = None
    at: int = 0
    by: int = 1
    rate: int = 1 << 20
    hits: int = field(default=0, compare=False)

    def matches(self, side: str, method: str, paths: Iterable[str]) -> bool:
        """Whether a request is one of those meant, however often it was."""
        if self.side not in {"any", side} or not fnmatchcase(method, self.method):
            return False
        return any(fnmatchcase(path, self.path) for path in paths)


class Faults:
    """The faults in force; may be changed while the emulator runs, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """More of them; those added first come first."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Everything goes well from here on."""
        with self._lock:
            self._faults.clear()

    def take(self, side: str, method: str, paths: Iterable[str]) -> Fault | None:
        """The fault of this request, counted as done; None if it goes well."""
        paths = tuple(paths)
        with self._lock:
            for fault in self._faults:
                if not fault.matches(side, method, paths) or fault.hits >= fault.skip + fault.times:
                    continue
                fault.hits += 1
                if fault.hits > fault.skip:
                    return fault
        return None


def read_fault(text: str) -> Fault:
    """A fault from words like ``cut path=*.gguf at=1000 times=2``, as on the command line.

    Raises:
        FaultError: for an unknown kind, word or value.
    """
    kind, *pairs = _SEPARATOR.split(text.strip())
    types = {item.name: item.type for item in fields(Fault) if item.name not in {"kind", "hits"}}
    values: dict[str, object] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        name = name.replace("-", "_")
        if kind not in KINDS or name not in types:
            break
        try:
            values[name] = int(value) if types[name] is int else float(value) if name == "retry_after" else value
        except ValueError as error:
            raise FaultError(f"{name} does not take {value!r}") from error
    else:
        if kind in KINDS:
            return Fault(kind, **values)  # type: ignore[arg-type]
    raise FaultError(f"no such fault: {text!r}; kinds: {', '.join(KINDS)}")
