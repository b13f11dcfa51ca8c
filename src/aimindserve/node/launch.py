"""Starting an engine through its shim."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.node.processes import ProcessId

_SHIM = Path(__file__).with_name("shim.py")
_FULL = (28, 122)
_START_SECONDS = 30.0
# What an engine needs of the surroundings. Secrets of the server are not among it.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_HOME", "ROCM_PATH")


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of the server's environment that engines get."""
    return {name: environment[name] for name in _PASSED_ON if name in environment}


def disk_reason(error: OSError, path: Path | str) -> Reason | None:
    """The reason of a failed write when the disk (or the account's quota) is full."""
    return reason(ReasonCode.DISK_FULL, path=str(path)) if error.errno in _FULL else None


def spawn(
    *,
    ledger: Path,
    plan: Path,
    log: Path,
    argv: Sequence[str],
    environment: Mapping[str, str],
    locks: Sequence[int],
) -> ProcessId | Reason:
    """Start the shim, which starts the engine, and wait for its word (blocking, milliseconds).

    ``locks`` are file descriptors that shim and engine inherit.

    Returns:
        The engine's identity, or why it could not be started.

    Raises:
        OSError: not even the shim could be started.
    """
    read_end, write_end = os.pipe()
    command = [sys.executable, "-I", "-S", str(_SHIM), str(ledger), str(plan), str(log), str(write_end), "--", *argv]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=ledger.parent,
            pass_fds=(*locks, write_end),
            start_new_session=True,
        )
    except OSError:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        told = answer.read().decode("ascii", "replace").split()
    process.wait(_START_SECONDS)
    return _outcome(told, ledger, argv[0])


def _outcome(told: list[str], ledger: Path, program: str) -> ProcessId | Reason:
    match told:
        case ["started", pid, start_time]:
            return ProcessId(int(pid), int(start_time))
        case ["error", number] if int(number) in _FULL:
            return reason(ReasonCode.DISK_FULL, path=str(ledger.parent))
        case ["exec", _]:
            return reason(ReasonCode.ENGINE_PROGRAM_MISSING, path=program)
        case ["error", number]:
            return reason(ReasonCode.ENGINE_LOAD_FAILED, detail=os.strerror(int(number)))
        case _:
            return reason(ReasonCode.ENGINE_KILLED, signal="KILL")
