"""The node's small parts: logs, locks, probes, programs, endings, the decision."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.node.world import World, world
from tests.support.fake_engine import fake_llama_server

from aimindserve.domain.agent_plan import plan_agent
from aimindserve.domain.nodes import DeviceKind, EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import Claim, DesiredReplica, DesiredState
from aimindserve.engines._base import Probe
from aimindserve.node.endings import Exit, Next, backoff_seconds, exit_reason, what_next
from aimindserve.node.environments import Environments
from aimindserve.node.folder import ReplicaFolder
from aimindserve.node.launch import base_environment
from aimindserve.node.locks import LockBusyError, is_free, release, take, take_all
from aimindserve.node.logs import bound_size, clean, read_log, tail_lines
from aimindserve.node.probes import exchange, is_healthy, serves
from aimindserve.node.processes import ProcessId, identify, is_running, kill, signal_group
from aimindserve.node.weights import check_weights

__all__ = ["world"]


# Logs


@pytest.fixture
def folder(tmp_path: Path) -> ReplicaFolder:
    made = ReplicaFolder(tmp_path, "r-1")
    made.open_attempt(1)
    return made


def test_a_log_is_read_piece_by_piece(folder: ReplicaFolder) -> None:
    folder.log_path(1).write_text("first line\nzweite Zeile ä\nunfinished")
    running = read_log(folder, 0, 0, running=1)
    assert running is not None
    assert running.text == "first line\nzweite Zeile ä\n"
    assert not running.complete
    ended = read_log(folder, 1, running.next_offset, running=None)
    assert ended is not None
    assert (ended.text, ended.complete, ended.attempts) == ("unfinished", True, (1,))
    assert ended.next_offset == ended.size == folder.log_path(1).stat().st_size


def test_the_end_of_a_log(folder: ReplicaFolder) -> None:
    folder.log_path(1).write_text("".join(f"line {number}\n" for number in range(1000)))
    for size in (9, 12, 17):
        piece = read_log(folder, 1, -size, running=None)
        assert piece is not None
        assert piece.text == "line 999\n"
    beyond = read_log(folder, 1, 10**9, running=None)
    assert beyond is not None
    assert (beyond.text, beyond.complete) == ("", True)


def test_no_log(folder: ReplicaFolder) -> None:
    assert read_log(folder, 2, 0, running=None) is None
    assert read_log(ReplicaFolder(folder.path.parent, "other"), 0, 0, running=None) is None
    assert tail_lines(Path("/nonexistent")) == []


@pytest.mark.parametrize("name", ["../other", "a/b", "", ".", "..", "a\0b", "x" * 200])
def test_only_ids_name_folders(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="replica id"):
        ReplicaFolder(tmp_path, name)


def test_secrets_and_control_codes_are_not_shown(folder: ReplicaFolder) -> None:
    text = "\x1b[31mred\x1b[0m sk-abcdefghijkl-0123456789abcdef hf_abcdefghijklmnopqrst Authorization: Bearer xyz.123"
    shown = clean(text + " plain-secret", ["plain-secret"])
    assert shown == "red [hidden] [hidden] Authorization: Bearer [hidden] [hidden]"
    assert clean("x-api-key: a1 password=b2 data:image/png;base64,iVBORw0KGgo= end") == (
        "x-api-key: [hidden] password=[hidden] data:image/png;base64,[hidden] end"
    )


def test_a_large_log_gives_its_middle_back(folder: ReplicaFolder) -> None:
    path = folder.log_path(1)
    lines = "".join(f"{number:015d}\n" for number in range(65536))
    path.write_text(lines)
    before = path.stat().st_blocks
    freed = bound_size(path, head=65536, tail=65536)
    assert freed > 0
    assert path.stat().st_size == len(lines)
    assert path.stat().st_blocks < before
    head = read_log(folder, 1, 0, running=None)
    assert head is not None
    assert head.text.startswith(f"{0:015d}\n")
    inside = read_log(folder, 1, 500_000, running=None)
    assert inside is not None
    assert inside.offset == 65536 + freed
    assert inside.text.endswith(f"{65535:015d}\n")
    assert bound_size(folder.log_path(1), head=1 << 20, tail=1 << 20) == 0


def test_old_attempts_go(folder: ReplicaFolder) -> None:
    for attempt in range(2, 30):
        folder.open_attempt(attempt)
    assert folder.attempts() == list(range(20, 30))


def test_attempts_go_on_when_progress_was_lost(folder: ReplicaFolder) -> None:
    for attempt in range(1, 15):
        folder.open_attempt(attempt)
    (folder.path / "progress.json").write_text("")
    found = folder.progress()
    assert (found.attempt, found.running, found.given_up) == (14, False, False)
    assert folder.open_attempt(found.attempt + 1).exists()


# Locks


def test_locks_exclude_and_share(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one"
    assert is_free(path)
    held = take(path, exclusive=False)
    other = take(path, exclusive=False)
    with pytest.raises(LockBusyError):
        take(path, exclusive=True)
    release([held, other])
    assert is_free(path)


def test_all_locks_or_none(tmp_path: Path) -> None:
    claims = [Claim(device_id=name, bytes=1, exclusive=True) for name in ("b", "a", "odd/../name")]
    held = take_all(tmp_path, "r-1", claims)
    with pytest.raises(LockBusyError) as busy:
        take_all(tmp_path, "r-2", claims[:1])
    assert busy.value.what == "b"
    assert is_free(tmp_path / "replica-r-2.lock")
    release(held)
    release(take_all(tmp_path, "r-2", claims))
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path}


# Probes

HTTP = "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}"


@asynccontextmanager
async def answering(text: str | None) -> AsyncIterator[int]:
    """A listener that answers every request with ``text``, or never when it is None; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if text is None:
            await reader.read()
        else:
            writer.write(text.encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


MODELS = '{"data":[{"id":"tiny","aliases":["other"]}]}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HTTP.format(status=200, length=len(MODELS), body=MODELS), True),
        (f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{len(MODELS):x}\r\n{MODELS}\r\n0\r\n\r\n", True),
        (f"HTTP/1.0 200 OK\r\n\r\n{MODELS}", True),
        (HTTP.format(status=401, length=0, body=""), False),
        (HTTP.format(status=200, length=2, body="{}"), False),
        (HTTP.format(status=200, length=4, body="junk"), False),
        (HTTP.format(status=200, length=99, body="cut"), False),
        ("x" * (3 << 20), False),
        ("SSH-2.0-OpenSSH\r\n\r\n", False),
        ("", False),
        (None, False),
    ],
)
async def test_only_our_engine_serves(text: str | None, expected: bool) -> None:
    async with answering(text) as port:
        assert await serves(Probe(), "127.0.0.1", port, "key", "tiny", 0.3) is expected


async def test_health() -> None:
    async with answering(HTTP.format(status=503, length=0, body="")) as port:
        assert not await is_healthy(Probe(), "127.0.0.1", port, "", 5)
    assert await exchange("127.0.0.1", port, "/", "", 5) is None


# Programs


async def only_llama_cpp(environments: Environments) -> EngineInstall:
    found = await environments.llama_cpp()
    assert not isinstance(found, Reason), found
    (install,) = found
    return install


@pytest.mark.parametrize(("name", "flavour"), [("llama-server", "llama-server"), ("llama-box", "llama-box")])
async def test_a_configured_program_is_asked_once(tmp_path: Path, name: str, flavour: str) -> None:
    program = fake_llama_server(tmp_path, "--fake-flavour", flavour, name=name)
    environments = Environments(str(program))
    found = await only_llama_cpp(environments)
    assert (found.flavour, found.path) == (flavour, str(program))
    assert found.version
    assert await only_llama_cpp(environments) is found


async def test_programs_are_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    embedded = await only_llama_cpp(Environments())
    assert (embedded.flavour, embedded.path) == ("xllamacpp", sys.executable)
    for name in ("llama-box", "llama-server"):
        fake_llama_server(tmp_path, "--fake-flavour", name, name=name)
        found = await only_llama_cpp(Environments())
        assert found.flavour == name


async def test_a_broken_program_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "llama-server").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "llama-server").chmod(0o755)
    found = await only_llama_cpp(Environments())
    assert found.flavour == "xllamacpp"
    configured = await Environments("llama-server").llama_cpp()
    assert configured == reason(ReasonCode.ENGINE_PROGRAM_MISSING, path=str(tmp_path / "llama-server"))


async def test_a_program_that_failed_once_is_asked_again(tmp_path: Path) -> None:
    """The program stays the same file; a library that it needs comes later."""
    library = tmp_path / "library"
    program = tmp_path / "llama-server"
    program.write_text(f'#!/bin/sh\ntest -e {library} || exit 127\necho "version: 9000"\n')
    program.chmod(0o755)
    patient, prompt = Environments(str(program)), Environments(str(program), refusals_kept=0)
    assert isinstance(await patient.llama_cpp(), Reason)
    assert isinstance(await prompt.llama_cpp(), Reason)
    library.touch()
    assert isinstance(await patient.llama_cpp(), Reason), "not asked at every look"
    assert await only_llama_cpp(prompt)


async def _says(tmp_path: Path, script: str) -> EngineInstall | Reason:
    program = tmp_path / "llama-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    environments = Environments(str(program))
    found = await environments.llama_cpp()
    return found if isinstance(found, Reason) else await only_llama_cpp(environments)


async def test_gpus_of_a_program(tmp_path: Path) -> None:
    found = await _says(tmp_path, 'test "$1" = --version && echo "version: 9000 (abc)" || echo "  CUDA0: NVIDIA H100"')
    assert isinstance(found, EngineInstall)
    assert (found.version, found.gpu_kinds) == ("9000", (DeviceKind.NVIDIA,))


@pytest.mark.parametrize(
    ("script", "code"),
    [("kill -ILL $$", ReasonCode.ENGINE_ILLEGAL_INSTRUCTION), ("exit 1", ReasonCode.ENGINE_PROGRAM_MISSING)],
)
async def test_a_program_that_does_not_run(tmp_path: Path, script: str, code: ReasonCode) -> None:
    refused = await _says(tmp_path, script)
    assert isinstance(refused, Reason)
    assert refused.code == code


def test_engines_get_no_secrets_of_the_server() -> None:
    given_ = {"PATH": "/bin", "HF_TOKEN": "hf_x", "AIMINDSERVE_DATABASE_URL": "x", "LD_PRELOAD": "x"}
    assert base_environment(given_) == {"PATH": "/bin"}


def test_weights(world: World) -> None:
    assert check_weights(world.facts) is None


# Processes


def test_a_process_is_pid_and_start_time() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert is_running(me)
    other = ProcessId(me.pid, me.start_time + 1)
    assert not is_running(other)
    assert not signal_group(other, signal.SIGKILL)
    kill(other)
    assert identify(2**22 + 1) is None


# Endings

OOM = reason(ReasonCode.ENGINE_OUT_OF_MEMORY)
SHORT = reason(ReasonCode.START_MEMORY_SHORT, part="kv_cache")
CORRUPT = reason(ReasonCode.GGUF_CORRUPT, path="p", detail="d")


@pytest.mark.parametrize(
    ("how", "log", "was_ready", "code"),
    [
        (Exit(code=1), None, False, ReasonCode.ENGINE_CRASHED),
        (Exit(code=1), CORRUPT, False, ReasonCode.GGUF_CORRUPT),
        (Exit(code=1), CORRUPT, True, ReasonCode.ENGINE_CRASHED),
        (Exit(code=1), SHORT, True, ReasonCode.ENGINE_OUT_OF_MEMORY),
        (Exit(code=1), SHORT, False, ReasonCode.START_MEMORY_SHORT),
        (Exit(signal=9, kernel_killed=True), None, False, ReasonCode.START_MEMORY_SHORT),
        (Exit(code=0), None, True, ReasonCode.ENGINE_EXITED),
        (Exit(signal=9), None, True, ReasonCode.ENGINE_KILLED),
        (Exit(signal=9, kernel_killed=True), None, True, ReasonCode.ENGINE_OUT_OF_MEMORY),
        (Exit(signal=4), None, False, ReasonCode.ENGINE_ILLEGAL_INSTRUCTION),
        (Exit(), None, True, ReasonCode.ENGINE_KILLED),
        (Exit(signal=200), None, True, ReasonCode.ENGINE_KILLED),
    ],
)
def test_why_an_engine_ended(how: Exit, log: Reason | None, was_ready: bool, code: ReasonCode) -> None:
    assert exit_reason(how, log, was_ready=was_ready).code == code


def test_what_follows() -> None:
    assert what_next(reason(ReasonCode.PORT_TAKEN, port=1), was_ready=False) is Next.AT_ONCE
    assert what_next(CORRUPT, was_ready=False) is Next.NEVER
    assert what_next(CORRUPT, was_ready=True) is Next.LATER
    assert what_next(OOM, was_ready=True) is Next.LATER
    assert what_next(SHORT, was_ready=False) is Next.NEVER


@given(st.integers(0, 10**6))
def test_back_off_never_shrinks_and_is_capped(failures: int) -> None:
    assert 1 <= backoff_seconds(failures, 1, 60) <= backoff_seconds(failures + 1, 1, 60) <= 60


# The decision

IDS = st.frozensets(st.sampled_from("abcdef"))


@given(IDS, IDS, IDS, st.integers(0, 5), st.integers(0, 5))
def test_the_plan_leads_to_the_desired_state(
    wanted: frozenset[str], present: frozenset[str], stopping: frozenset[str], revision: int, acked: int
) -> None:
    replicas = tuple(_bare(name) for name in sorted(wanted))
    plan = plan_agent(DesiredState(node_id="n", revision=revision, replicas=replicas), acked, present, stopping)
    if revision < acked:
        assert (plan.start, plan.stop, plan.acked) == ((), (), acked)
        return
    assert plan.acked == revision
    assert {one.id for one in plan.start} == wanted - present
    assert set(plan.stop) == present - wanted - stopping
    after = (present - set(plan.stop) - stopping) | {one.id for one in plan.start}
    assert after == wanted - (present & stopping)
    assert not {one.id for one in plan.start} & present, "never a second engine for a replica that is still there"


def _bare(name: str) -> DesiredReplica:
    return DesiredReplica.model_construct(id=name)
