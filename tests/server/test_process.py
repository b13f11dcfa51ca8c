"""The server as its own process: start, stop, kill, a second one, what it refuses to start with."""

import asyncio
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.server.fixtures import WAIT_SECONDS

from aimindserve.server.bootstrap import reset_admin_password
from aimindserve.server.settings import Settings, resolve_settings, save_settings

pytestmark = pytest.mark.heavy


def client_on(path: Path, key: str | None = None) -> httpx.Client:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx.HTTPTransport(uds=str(path))
    return httpx.Client(transport=transport, base_url="http://localhost", headers=headers, timeout=WAIT_SECONDS)


def wait_answering(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            with client_on(path) as client:
                client.get("/api/v1/session/hint")
            return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError("the server does not answer")


class Process:
    """One ``python -m aimindserve.server``."""

    def __init__(self, settings_file: Path, log: Path) -> None:
        self.socket = settings_file.parent / "server.sock"
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "aimindserve.server", "--settings", str(settings_file)], stderr=errors
            )

    def client(self, key: str | None = None) -> httpx.Client:
        return client_on(self.socket, key)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)


class Machine:
    """A data folder and the servers started on it."""

    def __init__(self, folder: Path) -> None:
        self.settings: Settings = resolve_settings({"data_dir": str(folder / "data"), "port": 0}, {})
        self.log = folder / "log"
        self.started: list[Process] = []
        self.settings_file = save_settings(self.settings)

    def launch(self) -> Process:
        process = Process(self.settings_file, self.log)
        self.started.append(process)
        return process

    def start(self) -> Process:
        process = self.launch()
        wait_answering(process.socket, process.process)
        return process

    def key(self) -> str:
        return Path(self.settings.paths.local_cli_key).read_text().strip()

    def close(self) -> None:
        for process in self.started:
            process.process.kill()
            process.process.wait()


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Machine]:
    data_dir.mkdir()
    made = Machine(data_dir)
    yield made
    made.close()


def test_starts_answers_and_stops_in_order(machine: Machine) -> None:
    server = machine.start()
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
    with server.client(machine.key()) as client:
        assert client.get("/api/v1/system").json()["database"] == "sqlite"
    assert server.end() == 0
    wal = Path(f"{machine.settings.paths.database}-wal")
    assert not wal.exists(), "the database was not closed"


def test_a_second_server_on_the_same_data_says_so_and_harms_nothing(machine: Machine) -> None:
    first = machine.start()
    second = machine.launch()
    assert second.process.wait(WAIT_SECONDS) == 78
    assert "Another aiMindServe server uses" in machine.log.read_text()
    with first.client(machine.key()) as client:
        assert client.get("/api/v1/system").status_code == 200


def test_nothing_acknowledged_is_lost_by_kill(machine: Machine) -> None:
    """Killed in the middle of writing, five times: what was answered with 201 is there, and the file is sound."""
    acknowledged: set[str] = set()
    for round_number in range(5):
        server = machine.start()
        killer_after = 3 + round_number
        with server.client(machine.key()) as client:
            for number in range(100):
                if number == killer_after:
                    os.kill(server.process.pid, signal.SIGKILL)
                try:
                    answer = client.post("/api/v1/keys", json={"name": f"{round_number}-{number}"})
                except httpx.TransportError:
                    break
                if answer.status_code == 201:
                    acknowledged.add(answer.json()["id"])
        server.process.wait(WAIT_SECONDS)
    server = machine.start()
    with server.client(machine.key()) as client:
        stored = {key["id"] for key in client.get("/api/v1/keys").json()["items"]}
    assert len(acknowledged) >= 5 * 3
    assert acknowledged <= stored
    server.end()
    with sqlite3.connect(machine.settings.paths.database) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        untold = database.execute(
            "SELECT count(*) FROM api_keys WHERE NOT system AND id NOT IN "
            "(SELECT subject FROM events WHERE kind = 'key.created')"
        ).fetchone()
    assert untold == (0,)


def test_a_start_takes_over_from_a_server_that_is_ending(machine: Machine) -> None:
    first = machine.start()
    second = machine.launch()
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(WAIT_SECONDS) == 0
    wait_answering(second.socket, second.process)
    with second.client(machine.key()) as client:
        assert client.get("/api/v1/system").status_code == 200


def test_socket_of_a_dead_server_is_replaced(machine: Machine) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(Path(machine.settings.run_dir) / "server.sock"))
    left_over.close()
    assert machine.start().end() == 0


def test_damaged_pepper_is_told_and_not_replaced(machine: Machine) -> None:
    machine.start().end()
    pepper = Path(machine.settings.paths.pepper)
    pepper.write_bytes(b"short")
    assert machine.launch().process.wait(WAIT_SECONDS) == 78
    assert "is damaged. Restore it from a backup" in machine.log.read_text()
    assert pepper.read_bytes() == b"short"


def test_unusable_data_folder_is_an_ordinary_failure(machine: Machine) -> None:
    database = Path(machine.settings.paths.database)
    database.mkdir()
    assert machine.launch().process.wait(WAIT_SECONDS) == 1
    assert "the server cannot start" in machine.log.read_text()
    # The driver's thread may have words of its own when the loop is gone; ours is one line.
    assert "aimindserve/server/" not in machine.log.read_text()


def test_reset_of_the_administrators_password_while_the_server_runs(machine: Machine) -> None:
    server = machine.start()
    password = asyncio.run(reset_admin_password(machine.settings))
    with server.client() as client:
        answer = client.post("/api/v1/session", json={"username": "admin", "password": password})
        assert answer.json()["must_change_password"] is True
    file = Path(machine.settings.paths.initial_admin_password)
    assert file.read_text().strip() == password
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_secret_in_log_or_arguments(machine: Machine) -> None:
    server = machine.start()
    password = Path(machine.settings.paths.initial_admin_password).read_text().strip()
    secrets = [machine.key(), password, "wrong-canary-password"]
    with server.client(machine.key()) as client:
        made = client.post("/api/v1/keys", json={"name": "x"}).json()
        client.post("/api/v1/session", json={"username": "admin", "password": "wrong-canary-password"})
        opened = client.post("/api/v1/session", json={"username": "admin", "password": password})
        secrets += [made["token"], opened.cookies["aimindserve_session"]]
        client.get(f"/api/v1/nothing?key={made['token']}")
        told = client.get("/api/v1/events").text + client.get("/api/v1/settings").text
    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().decode()
    server.end()
    log = machine.log.read_text()
    assert "login refused" in log
    database = Path(machine.settings.paths.database).read_bytes().decode("latin-1")
    for secret in secrets:
        for place, text in {"log": log, "arguments": arguments, "database": database, "answers": told}.items():
            assert secret not in text, place
