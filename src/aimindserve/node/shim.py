"""The keeper of one engine process: starts it, waits for it, writes down how it ended.

Run as ``python -I -S shim.py LEDGER PLAN LOG STATUS_FD -- ARGV…``. It lives apart from everything else of the product
(double fork, own session), so that the product can be killed or upgraded while the engine runs on. It takes no orders:
it ends when the engine has ended. Should it be killed itself, the engine runs on. Only the two lightest modules are
imported; the aim is 4 MB.

Order of events, so that no engine ever runs unrecorded:
1. the ledger says ``launching`` with the shim's identity;
2. a child in a session and process group of its own waits at a gate;
3. the ledger says ``running`` with the child's pid and start time; only then the gate opens and the child becomes the
   engine. A shim that dies before leaves a child that finds the gate broken and ends;
4. when the engine has ended, the rest of its group is killed while its pid is still reserved by the zombie;
5. the ledger says ``ended`` with exit code or signal.

``STATUS_FD`` is a pipe to the starter: ``started PID START``, ``exec ERRNO`` or ``error ERRNO``, then closed. Inherited
file descriptors (locks) stay open here and in the engine: a lock is free when the last process of the group is gone.
"""

import os
import sys
import time

_PIPE, _HANGUP, _INTERRUPT, _TERMINATE, _KILL = 13, 1, 2, 15, 9
_RETRY_ENDED_SECONDS = 30.0
# The built-in half of ``signal``, without the enumerations that take a megabyte.
_signal = __import__("_signal")


def _start_time(pid: int) -> int:
    """Field 22 of ``/proc/PID/stat``: clock ticks from boot to the start of the process."""
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        text = os.read(fd, 4096).decode("utf-8", "replace")
    finally:
        os.close(fd)
    return int(text.rpartition(")")[2].split()[19])


def _write_ledger(path: str, plan: str, fields: dict[str, int | float | str | None]) -> None:
    """Replace the ledger atomically, mode 0600. ``plan`` is JSON text that is kept as it is."""
    parts = [f'"plan":{plan}']
    for name, value in fields.items():
        text = "null" if value is None else f'"{value}"' if isinstance(value, str) else repr(value)
        parts.append(f'"{name}":{text}')
    data = ("{" + ",".join(parts) + "}\n").encode()
    temporary = f"{path}.{os.getpid()}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        while data:
            data = data[os.write(fd, data) :]
        os.rename(temporary, path)  # noqa: PTH104 - pathlib is too heavy here
    except OSError:
        os.unlink(temporary)  # noqa: PTH108
        raise
    finally:
        os.close(fd)


def _read(path: str) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return os.read(fd, 1 << 20).decode()
    finally:
        os.close(fd)


def _tell(fd: int, text: str) -> None:
    try:  # noqa: SIM105 - contextlib is too heavy here
        os.write(fd, text.encode())
    except OSError:  # the starter is gone; the ledger tells its successor
        pass
    os.close(fd)


def _become_engine(argv: list[str], log: str, gate: int, failure: int) -> None:
    """In the child: wait for the gate, then exec. Never returns."""
    try:
        os.setsid()
        if os.read(gate, 1) != b"g":
            os._exit(0)
        # Python ignores SIGPIPE and this process ignores orders; the engine must not inherit either.
        for number in (_PIPE, _HANGUP, _INTERRUPT, _TERMINATE):
            _signal.signal(number, _signal.SIG_DFL)
        nothing = os.open("/dev/null", os.O_RDONLY)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _prefer_as_victim()
        _no_core_dump()
        os.execvpe(argv[0], argv, os.environ)
    except OSError as error:
        os.write(failure, str(error.errno or 5).encode())
    finally:
        os._exit(127)


def _prefer_as_victim() -> None:
    """Where memory runs out, the kernel should end an engine, not the server or somebody's shell."""
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(fd, b"500")
        os.close(fd)
    except OSError:
        pass


def _no_core_dump() -> None:
    """A dump would be as large as the model and hold what people asked."""
    limits = __import__("resource")
    try:  # noqa: SIM105
        limits.setrlimit(limits.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        pass


def _start_engine(argv: list[str], log: str) -> tuple[int, int, int]:
    """The waiting child: its pid, the gate to write to, and the pipe that brings an errno when exec fails."""
    gate_read, gate_write = os.pipe()
    failure_read, failure_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate_write)
        os.close(failure_read)
        _become_engine(argv, log, gate_read, failure_write)
    os.close(gate_read)
    os.close(failure_write)
    return pid, gate_write, failure_read


def _wait_and_clear(pid: int) -> tuple[int | None, int | None]:
    """Wait for the engine, kill what is left of its group, and tell ``(exit code, signal)``."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:  # noqa: SIM105
        os.killpg(pid, _KILL)
    except OSError:
        pass
    status = os.waitpid(pid, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)


def _keep_trying(ledger: str, plan: str, fields: dict[str, int | float | str | None]) -> None:
    """Write the end even where the disk is full for a while."""
    give_up = time.monotonic() + _RETRY_ENDED_SECONDS
    while True:
        try:
            _write_ledger(ledger, plan, fields)
            return
        except OSError:
            if time.monotonic() > give_up:
                return
            time.sleep(0.5)


def run(ledger: str, plan_path: str, log: str, status: int, argv: list[str]) -> None:
    """Start the engine and stay with it to its end."""
    fields: dict[str, int | float | str | None] = {
        "state": "launching",
        "shim_pid": os.getpid(),
        "shim_start_time": _start_time(os.getpid()),
        "pid": None,
        "start_time": None,
        "started_at": time.time(),
    }
    try:
        plan = _read(plan_path).strip()
        _write_ledger(ledger, plan, fields)
        pid, gate, failure = _start_engine(argv, log)
    except OSError as error:
        _tell(status, f"error {error.errno}")
        return
    fields.update(state="running", pid=pid, start_time=_start_time(pid))
    try:
        _write_ledger(ledger, plan, fields)
        os.write(gate, b"g")
    except OSError as error:
        os.close(gate)
        os.waitpid(pid, 0)
        fields.update(state="ended", pid=None, ended_at=time.time(), error=error.errno)
        _tell(status, f"error {error.errno}")
        _keep_trying(ledger, plan, fields)
        return
    os.close(gate)
    refused = os.read(failure, 16).decode()
    os.close(failure)
    _tell(status, f"exec {refused}" if refused else f"started {pid} {fields['start_time']}")
    code, number = _wait_and_clear(pid)
    fields.update(state="ended", pid=None, last_pid=pid, ended_at=time.time(), exit_code=code, signal=number)
    fields["error"] = int(refused) if refused else None
    _keep_trying(ledger, plan, fields)


def main(arguments: list[str]) -> None:
    """Detach, then ``run``. The first process ends at once, so that its starter reaps it."""
    ledger, plan, log, status = arguments[:4]
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    os.set_inheritable(int(status), False)  # noqa: FBT003 - it takes no keyword
    for number in (_HANGUP, _INTERRUPT, _TERMINATE):
        _signal.signal(number, _signal.SIG_IGN)
    run(ledger, plan, log, int(status), arguments[5:])
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
