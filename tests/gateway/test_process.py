"""The gateway as a process of its own, started as the supervisor starts it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.gateway.harness import KEY, PATIENCE, PEPPER, chat, route, table
from tests.support.certificates import self_signed

from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.listening import listen
from aimindserve.gateway.spool import Spool
from aimindserve.gateway.table import save_table
from aimindserve.gateway.tls import Certificate, CertificateError


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def settings(folder: Path, port: int, **more: object) -> Path:
    (folder / "keys").mkdir(exist_ok=True)
    (folder / "keys" / "pepper").write_bytes(PEPPER)
    file = folder / "settings.json"
    values = {"host": "127.0.0.1", "port": port, "data_dir": str(folder), "run_dir": str(folder), "demo": True}
    file.write_text(json.dumps({**values, **more}))
    return file


def argv(file: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "aimindserve.gateway", "--settings", str(file), *more]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(file: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv(file), stderr=subprocess.PIPE)
    try:
        wait_for(lambda: listens(port) or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def fake_engine(folder: Path, port: int) -> Iterator[None]:
    model = folder / "model.gguf"
    model.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "aimindserve.sim.fake_engine", "--model", str(model), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(port))
        yield
    finally:
        process.kill()
        process.wait()


def ask(port: int, **more: object) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", chat("m", **more), headers)
    return connection.getresponse()


def test_inference_from_the_last_good_table_alone_then_a_graceful_end(folder: Path) -> None:
    """No server at all: the copy on disk is enough. TERM lets a running stream end."""
    port, engine_port = free_port(), free_port()
    save_table(folder / "routing-table.json", table(route(engine_port, model="m")))
    with fake_engine(folder, engine_port), running(settings(folder, port), port) as process:
        assert json.loads(ask(port, max_tokens=5).read())["usage"]["completion_tokens"] == 5
        answer = ask(port, stream=True, max_tokens=20, fake={"token-delay-ms": 50})
        assert answer.readline().startswith(b"data: ")
        process.send_signal(signal.SIGTERM)
        rest = answer.read()
        assert rest.count(b"data: ") >= 18
        assert rest.endswith(b"data: [DONE]\n\n")
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
        spool = Spool(folder / "usage-unsent", "next", 1 << 20)
        assert spool.open()
        kept: list[UsageRecord] = []  # nobody was there to take the usage
        while (oldest := spool.oldest()) is not None:
            kept += oldest[1]
            spool.done(oldest[0])
        spool.close()
        assert [(one.status, one.completion_tokens) for one in kept] == [(200, 5), (200, 20)]


def test_a_stream_with_no_end_is_cut_off_when_the_drain_time_is_over(folder: Path) -> None:
    port, engine_port = free_port(), free_port()
    save_table(folder / "routing-table.json", table(route(engine_port, model="m")))
    with fake_engine(folder, engine_port), running(settings(folder, port, drain_seconds=0.3), port) as process:
        answer = ask(port, stream=True, max_tokens=100_000, fake={"token-delay-ms": 50})
        answer.readline()
        reader = threading.Thread(target=lambda: _read_out(answer))
        reader.start()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        reader.join(PATIENCE)
        assert not reader.is_alive()


def _read_out(answer: http.client.HTTPResponse) -> None:
    try:
        answer.read()
    except (OSError, http.client.HTTPException):
        return


def test_a_crash_of_the_engine_in_mid_stream(folder: Path) -> None:
    port, engine_port = free_port(), free_port()
    save_table(folder / "routing-table.json", table(route(engine_port, model="m")))
    with fake_engine(folder, engine_port), running(settings(folder, port), port):
        body = ask(port, stream=True, max_tokens=20, fake={"crash-at-token": 5}).read()
        error = json.loads(body.rpartition(b"data: ")[2])["error"]
        assert (error["code"], error["source"]) == ("engine_failed", "engine")
        assert str(engine_port).encode() not in body
        answer = ask(port)
        assert answer.status == 502
        assert str(engine_port).encode() not in answer.read()


@pytest.mark.parametrize(("host", "hint"), [("127.0.0.1", "--port"), ("192.0.2.1", "--port")])
def test_a_port_that_cannot_be_used_is_one_clear_line(folder: Path, host: str, hint: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        port = holder.getsockname()[1]
        done = subprocess.run(
            argv(settings(folder, port, host=host)), capture_output=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 3
    text = done.stderr.decode()
    assert text.count("\n") == 1
    assert f"{host}:{port}" in text
    assert hint in text


@pytest.mark.parametrize("content", [None, "{", '{"host": 5}'])
def test_settings_that_cannot_be_used(folder: Path, content: str | None) -> None:
    file = folder / "s.json"
    if content is not None:
        file.write_text(content)
    done = subprocess.run(argv(file), capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 78
    assert done.stderr.decode().count("\n") == 1
    assert str(file) in done.stderr.decode()


def test_it_stays_small_and_loads_nothing_heavy(folder: Path) -> None:
    port, engine_port = free_port(), free_port()
    save_table(folder / "routing-table.json", table(route(engine_port, model="m")))
    with fake_engine(folder, engine_port), running(settings(folder, port), port) as process:
        for _ in range(20):
            ask(port).read()
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = int(status.partition("VmRSS:")[2].split()[0])
        assert resident < 60 * 1024
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert "pydantic" not in maps
        assert "sqlalchemy" not in maps
    code = (
        "import sys, aimindserve.gateway.app; "
        "print([m for m in ('pydantic','fastapi','starlette','sqlalchemy','httpx','aiohttp') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert found.stdout == "[]\n"


@contextmanager
def on_socket(file: Path, listener: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway on a socket that listens already, as the supervisor gives it one."""
    number = listener.fileno()
    process = subprocess.Popen(argv(file, f"--listener={number}"), pass_fds=(number,), stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_another_gateway_takes_the_port_over_and_no_request_is_lost(folder: Path) -> None:
    """One stream, one connection that is idle, and requests all the time while the first gateway leaves."""
    listener, engine_port = listen("127.0.0.1", 0), free_port()
    port = listener.getsockname()[1]
    save_table(folder / "routing-table.json", table(route(engine_port, model="m")))
    file = settings(folder, port, drain_seconds=0.1)
    with listener, fake_engine(folder, engine_port), on_socket(file, listener) as first:
        stream = ask(port, stream=True, max_tokens=40, fake={"token-delay-ms": 50})
        assert stream.readline().startswith(b"data: ")
        idle = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        idle.request("GET", "/healthz")
        assert idle.getresponse().read()
        with on_socket(file, listener):
            first.send_signal(signal.SIGUSR1)
            assert [ask(port, max_tokens=1).status for _ in range(30)] == [200] * 30
            assert first.poll() is None
            assert stream.read().endswith(b"data: [DONE]\n\n")
            idle.request("GET", "/healthz")
            last = idle.getresponse()
            assert (last.status, last.headers["connection"]) == (200, "close")
            last.read()
            stream.close()
            assert first.wait(PATIENCE) == 0
            assert ask(port, max_tokens=1).status == 200


def test_https_with_an_own_certificate(folder: Path) -> None:
    certificate, key = self_signed("models.test", folder)
    port, engine_port = free_port(), free_port()
    save_table(folder / "routing-table.json", table(route(engine_port, model="m")))
    file = settings(folder, port, tls_certificate=str(certificate), tls_key=str(key))
    trusting = ssl.create_default_context(cafile=str(certificate))
    trusting.check_hostname = False
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    with fake_engine(folder, engine_port), running(file, port):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=trusting)
        large = chat("m", max_tokens=1, messages=[{"role": "user", "content": "x" * 3_000_000}])
        for body, end in ((large, b"}"), (chat("m", max_tokens=5, stream=True), b"data: [DONE]\n\n")):
            connection.request("POST", "/v1/chat/completions", body, headers)
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.read().endswith(end)
        connection.close()
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"200" not in plain.recv(100), "nothing is served in the clear"


def test_a_certificate_that_cannot_be_used_is_named(folder: Path) -> None:
    certificate, _ = self_signed("models.test", folder)
    file = settings(folder, free_port(), tls_certificate=str(certificate), tls_key=str(folder / "none.pem"))
    done = subprocess.run(argv(file), capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 3
    assert f"{certificate} with the key {folder / 'none.pem'} cannot be used: No such file" in done.stderr


def test_a_renewed_certificate_is_taken_and_a_damaged_one_is_not(folder: Path) -> None:
    certificate, key = self_signed("models.test", folder)
    ours = Certificate(str(certificate), str(key))
    assert not ours.renew()
    assert served_by(ours) == certificate.read_text()
    (folder / "new").mkdir()
    for new, old in zip(self_signed("models.test", folder / "new"), (certificate, key), strict=True):
        new.replace(old)
    assert ours.renew()
    good = certificate.read_text()
    assert served_by(ours) == good
    key.write_text("nothing")
    with pytest.raises(CertificateError):
        ours.renew()
    assert served_by(ours) == good
    assert not ours.renew(), "told once"
    certificate.unlink()
    assert not ours.renew(), "it is being replaced"


def served_by(certificate: Certificate) -> str:
    """The certificate that a new connection is shown; client and server are in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(back, there), certificate.context.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    shown = ends[0].getpeercert(binary_form=True)
    assert shown is not None
    return ssl.DER_cert_to_PEM_cert(shown)
