"""The emulated engine misbehaves as ordered, for real."""

import os
import signal
import socket
from pathlib import Path

import httpx
import psutil
import pytest
from tests.sim.engine_process import ended, engine, free_port, until


def _status(port: int, path: str = "/health") -> int | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code
    except httpx.HTTPError:
        return None


@pytest.mark.parametrize(("flavour", "loading"), [("llama-server", 503), ("llama-box", 404), ("vllm", None)])
def test_health_while_loading(flavour: str, loading: int | None) -> None:
    port = free_port()
    with engine("--fake-flavour", flavour, "--fake-start-delay", "1.5", port=port) as it:
        if loading:
            until("it says that it loads", lambda: _status(port) == loading)
        until("it is ready", lambda: _status(port) == 200)
        assert it.process.poll() is None


def test_never_ready_and_a_lie() -> None:
    port = free_port()
    with engine("--fake-never-ready", port=port) as it:
        until("it says that it loads", lambda: _status(port) == 503)
        assert it.chat().status_code == 503
    with engine("--fake-health-status", "500") as it:
        assert it.http.get("/health").status_code == 500


@pytest.mark.parametrize(("how", "code"), [("kill", -9), ("segv", -11), ("abort", -6), ("0", 0), ("1", 1), ("2", 2)])
def test_crash_at_token(how: str, code: int) -> None:
    with engine() as it:
        with it.http.stream(
            "POST",
            "/v1/chat/completions",
            json={"messages": [], "stream": True, "fake": {"crash-at-token": 2, "exit": how}},
        ) as answer:
            lines: list[str] = []
            with pytest.raises(httpx.HTTPError):
                lines.extend(line for line in answer.iter_lines() if '"content":"' in line)
        assert it.code() == code


def test_tokens_before_the_crash_arrive() -> None:
    with engine() as it:
        assert _raw_stream(it.port, b'{"crash-at-token":3}').count(b'"delta":{"content":"') == 3
        assert it.code() == -signal.SIGKILL


def test_out_of_memory_writes_its_log_lines() -> None:
    with engine() as it:
        with pytest.raises(httpx.HTTPError):
            it.chat(fake={"oom-at-token": 1})
        assert it.code() == -signal.SIGABRT
        assert it.process.stdout is not None
        assert "failed to allocate buffer" in it.process.stdout.read()


def test_hang_ends_only_with_the_client() -> None:
    with engine() as it:
        with pytest.raises(httpx.ReadTimeout):
            it.http.post("/v1/chat/completions", json={"messages": [], "fake": {"hang-at-token": 1}}, timeout=0.3)
        until("the abort is noticed", lambda: it.state()["aborted"] == 1)
        assert it.state()["in_flight"] == 0
        assert it.chat().status_code == 200


def test_an_aborted_stream_is_counted() -> None:
    with engine() as it:
        body = {"messages": [], "stream": True, "max_tokens": 10_000}
        headers = {"x-fake-token-delay-ms": "5"}
        with it.http.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
            next(answer.iter_lines())
        until("the abort is noticed", lambda: it.state()["aborted"] == 1)
        assert it.state()["tokens"] < 10_000


def test_freeze_and_thaw() -> None:
    with engine() as it:
        with pytest.raises(httpx.ReadTimeout):
            it.http.post("/v1/chat/completions", json={"messages": [], "fake": {"freeze-at-token": 0}}, timeout=0.5)
        process = psutil.Process(it.process.pid)
        until("it is stopped", lambda: process.status() == psutil.STATUS_STOPPED)
        process.resume()
        assert it.http.get("/health").status_code == 200


def _raw_stream(port: int, knobs: bytes) -> bytes:
    """Every byte of a streamed answer until the engine closes."""
    body = b'{"messages":[],"stream":true,"fake":%b}' % knobs
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        link.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        seen = b""
        while part := link.recv(65536):
            seen += part
    return seen


def test_close_and_error_in_mid_stream() -> None:
    with engine() as it:
        closed = _raw_stream(it.port, b'{"close-at-token":1}')
        failed = _raw_stream(it.port, b'{"error-at-token":1}')
        assert closed.count(b'"delta":{"content":"') == failed.count(b'"delta":{"content":"') == 1
        assert b"[DONE]" not in closed + failed
        assert b'data: {"error"' in failed
        assert b'data: {"error"' not in closed
        assert it.chat(fake={"status": 503}).status_code == 503


@pytest.mark.parametrize(
    ("what", "line", "code"),
    [
        ("oom", "failed to allocate", 1),
        ("corrupt", "corrupted or incomplete", 1),
        ("architecture", "unknown model architecture: 'novelty'", 1),
        ("mismatch", "n_embd = 256", 1),
        ("port", "couldn't bind HTTP server socket", 1),
        ("argument", "invalid argument", 1),
        ("illegal", "Illegal instruction", -4),
    ],
)
def test_failed_starts(what: str, line: str, code: int) -> None:
    found = ended("--fake-fail-start", what)
    assert found[0] == code
    assert line in found[1]


def test_failed_start_of_vllm() -> None:
    code, text = ended("serve", "model", "--fake-fail-start", "oom")
    assert code == 1
    assert "torch.OutOfMemoryError: CUDA out of memory" in text


def test_only_the_first_starts_fail(tmp_path: Path) -> None:
    state = tmp_path / "starts"
    arguments = ("--fake-fail-start", "corrupt", "--fake-fail-times", "2", "--fake-state", str(state))
    assert [ended(*arguments)[0] for _ in range(2)] == [1, 1]
    with engine(*arguments) as it:
        assert it.http.get("/health").status_code == 200
    assert state.stat().st_size == 3


def test_crash_after_it_was_ready() -> None:
    with engine("--fake-crash-after", "0.2", "--fake-exit", "0") as it:
        assert it.code() == 0


def test_taken_port_flags_and_files(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        for arguments, line in ((("--port", port), "couldn't bind"), (("serve", "m", "--port", port), "Errno 98")):
            code, text = ended(*arguments)
            assert code == 1
            assert line in text
            assert port in text
    code, text = ended("--ctx-sise", "5")
    assert (code, "invalid argument: --ctx-sise" in text) == (1, True)
    code, text = ended("serve", "m", "--limit-mm-per-prompt=image=4")
    assert (code, "cannot be converted" in text) == (2, True)
    missing = str(tmp_path / "none.gguf")
    code, text = ended("--model", missing)
    assert (code, f"'{missing}' (No such file" in text) == (1, True)


@pytest.mark.parametrize("kind", ["obedient", "ignores-term", "holds-port"])
def test_children(kind: str) -> None:
    with engine("--fake-child", kind) as it:
        child = psutil.Process(it.state()["children"][0])
        assert os.getpgid(child.pid) == os.getpgid(it.process.pid)
        try:
            child.terminate()
            it.process.terminate()
            assert it.code() == 0
            if kind == "obedient":
                child.wait(30)
                return
            assert child.is_running()
            with socket.socket() as other:
                taken = other.connect_ex(("127.0.0.1", it.port)) == 0
            assert taken == (kind == "holds-port")
        finally:
            if child.is_running():
                child.kill()


def test_term_is_ignored_when_ordered() -> None:
    with engine("--fake-ignore-term") as it:
        it.process.terminate()
        assert it.chat().status_code == 200
        assert it.process.poll() is None


def test_memory_is_really_held() -> None:
    with engine("--fake-memory-mib", "64") as it:
        assert psutil.Process(it.process.pid).memory_info().rss > 64 << 20


def test_key_file_and_vllm_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    with engine("--api-key-file", str(tmp_path / "key")) as it:
        assert it.chat().status_code == 401
        assert it.chat(headers={"authorization": "Bearer from-file"}).status_code == 200
    with engine("serve", "m", "--api-key", "k") as it:
        assert it.http.get("/v1/models").json() == {"error": "Unauthorized"}
        assert it.http.get("/health").status_code == 200
