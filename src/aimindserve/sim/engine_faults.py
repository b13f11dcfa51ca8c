"""Ways in which a process goes wrong, done for real: dying, stopping to answer, leaving children behind."""

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

_SIGNALS = {"kill": signal.SIGKILL, "segv": signal.SIGSEGV, "abort": signal.SIGABRT, "ill": signal.SIGILL}


def die(how: str) -> NoReturn:
    """End this process at once, by a signal or with an exit code, without any clean-up."""
    sys.stdout.flush()
    number = _SIGNALS.get(how)
    if number is None:
        os._exit(int(how))
    signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
    os.kill(os.getpid(), number)
    signal.pause()
    raise SystemExit(1)


def freeze() -> None:
    """Stop answering: the kernel still accepts connections, nobody reads them. Ends with a SIGCONT."""
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSTOP)


def fork_child(kind: str, listener: socket.socket | None) -> int:
    """A child in the same process group, as engines have them; its process id.

    ``obedient`` ends at TERM; ``ignores-term`` and ``holds-port`` only at KILL, the latter with the port still open.
    """
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGTERM, signal.SIG_DFL if kind == "obedient" else signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if kind != "holds-port" and listener is not None:
        listener.close()
    while True:
        signal.pause()


def starts_so_far(state: Path | None) -> int:
    """How often an engine with this state file was started before; counts this start."""
    if state is None:
        return 0
    with contextlib.suppress(FileNotFoundError):
        count = len(state.read_bytes())
        with state.open("ab") as file:
            file.write(b".")
        return count
    state.write_bytes(b".")
    return 0


def take_memory(mebibytes: int) -> bytearray:
    """Resident memory of that size, for as long as the result lives."""
    held = bytearray(mebibytes << 20)
    held[:: os.sysconf("SC_PAGE_SIZE")] = b"\1" * len(range(0, len(held), os.sysconf("SC_PAGE_SIZE")))
    return held
