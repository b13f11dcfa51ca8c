"""``aimindserve start`` up to the moment in which it becomes the supervisor, and what the supervisor then says."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image
from tests.cli.children import settings_in

from aimindserve.cli import ports
from aimindserve.cli.demo_request import write_demo_request
from aimindserve.cli.output import CommandError
from aimindserve.cli.readiness import ask_ready, banner, base_url
from aimindserve.cli.supervisor import hold_lock


def start(*words: str) -> subprocess.CompletedProcess[str]:
    """Run ``aimindserve start`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "aimindserve.cli.main", "start", "--host", "127.0.0.1", *words],
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_taken_port_ends_the_start_with_holder_and_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = start("--port", str(port), "--data-dir", str(tmp_path / "d"))
    assert done.returncode == 1
    assert f"Port {port} is already taken by process {os.getpid()}" in done.stderr
    assert f"--port {port + 1}" in done.stderr


def test_a_second_start_for_the_same_folder_is_refused(tmp_path: Path, unused_port: int) -> None:
    (tmp_path / "run").mkdir()
    lock = hold_lock(tmp_path / "run")
    assert lock is not None
    done = start("--port", str(unused_port), "--data-dir", str(tmp_path))
    os.close(lock)
    assert done.returncode == 1
    assert f"already running for {tmp_path} (process {os.getpid()})" in done.stderr


def test_a_data_folder_that_cannot_be_made(tmp_path: Path, unused_port: int) -> None:
    (tmp_path / "file").write_text("")
    done = start("--port", str(unused_port), "--data-dir", str(tmp_path / "file" / "d"))
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "--data-dir" in done.stderr


def test_an_address_of_another_machine(tmp_path: Path, unused_port: int) -> None:
    with pytest.raises(CommandError) as raised:
        ports.require_free_port("192.0.2.1", unused_port, tmp_path)
    assert raised.value.code == "host_unknown"


def test_a_free_port_passes(tmp_path: Path, unused_port: int) -> None:
    ports.require_free_port("127.0.0.1", unused_port, tmp_path)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"host": "0.0.0.0", "port": 8080}, "http://127.0.0.1:8080"),
        ({"host": "10.1.2.3", "port": 80}, "http://10.1.2.3"),
        ({"host": "::1", "port": 8080}, "http://[::1]:8080"),
        ({"host": "0.0.0.0", "port": 8080, "public_url": "https://m.example.org/"}, "https://m.example.org"),
    ],
)
def test_the_address_to_open(settings: dict[str, object], url: str) -> None:
    assert base_url(settings) == url


def test_the_banner_names_the_password_file_and_never_the_password(tmp_path: Path) -> None:
    (tmp_path / "initial_admin_password").write_text("canary-password")
    (tmp_path / "demo-request.json").write_text("{}")
    text = banner(settings_in(tmp_path, 8080, demo=True))
    assert f"cat {tmp_path}/initial_admin_password" in text
    assert "http://127.0.0.1:8080/v1/chat/completions" in text
    assert "canary" not in text
    (tmp_path / "initial_admin_password").unlink()
    assert "initial_admin_password" not in banner(settings_in(tmp_path, 8080))


def test_a_folder_with_a_quote_is_quoted_for_the_shell(tmp_path: Path) -> None:
    folder = tmp_path / "it's mine"
    folder.mkdir()
    (folder / "initial_admin_password").write_text("x")
    line = next(line for line in banner(settings_in(folder, 1)).splitlines() if "Password" in line)
    shown = subprocess.run(["sh", "-c", line.split(None, 1)[1]], capture_output=True, text=True, check=True)
    assert shown.stdout == "x"


def test_the_demo_request_shows_a_blue_circle_on_yellow(tmp_path: Path) -> None:
    write_demo_request(tmp_path / "r.json", "tiny-vlm")
    request = json.loads((tmp_path / "r.json").read_text())
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o600
    uri = request["messages"][0]["content"][0]["image_url"]["url"]
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert request["model"] == "tiny-vlm"
    assert picture.size == (112, 112)
    assert picture.getpixel((56, 56)) == (30, 75, 215)
    assert picture.getpixel((2, 2)) == (252, 238, 120)


@pytest.mark.parametrize(("status", "ready"), [("200 OK", True), ("503 Service Unavailable", False)])
def test_readiness_is_a_200(tmp_path: Path, status: str, ready: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        assert ask_ready(settings_in(tmp_path, listener.getsockname()[1])) is ready
        thread.join()


def test_nobody_is_not_ready(tmp_path: Path, unused_port: int) -> None:
    assert ask_ready(settings_in(tmp_path, unused_port)) is False
