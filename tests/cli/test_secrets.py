"""Secrets stay where they belong: a whole product is searched for canaries, in titles, logs, files, dumps, exports and
answers. The canaries are tokens, passwords and keys of every kind that the product is ever given or makes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.e2e.product import COMMAND, PASSWORD, PATIENCE, Product

pytestmark = pytest.mark.heavy

GIVEN = {
    "token by flag": "hf_canary_Zq7rT2mWx9",
    "token by environment": "ms-canary-1f7a9Kd3",
    "stored token": "hf_canary_stored_8hY2",
    "proxy's password": "canaryProxyPw55",
    "proxy's password at the start": "canaryStartPw66",
    "person's password": "canary-walrus-bicycle-7",
    "wrong password": "canary-wrong-guess-31337",
    "prompt": "canary prompt about a secret garden",
}
# The files that are there to hold a secret, mode 0600 in a folder of mode 0700.
KEEPERS = {
    "keys/huggingface-token", "keys/modelscope-token", "keys/local-cli", "keys/pepper", "keys/secrets",
    "initial_admin_password",
}  # fmt: skip
# The settings of the start hold its proxy, as the file that an administrator writes does.
PROXY_KEEPERS = {"run/settings.json", "run/start.json"}


class Watched:
    """A running product, what was planted in it, and everything that it said."""

    def __init__(self, folder: Path) -> None:
        proxy = "http://someone:{}@127.0.0.1:9".format(GIVEN["proxy's password at the start"])
        self.product = Product(
            folder / "data", "--huggingface-token", GIVEN["token by flag"], "--hub-proxy", proxy, "--log-level", "debug"
        )
        self.folder = folder
        self.secrets = dict(GIVEN)
        self.said: dict[str, str] = {}

    def start(self) -> None:
        """Start it with a token in the environment, then plant the rest."""
        os.environ["MODELSCOPE_API_TOKEN"] = GIVEN["token by environment"]
        try:
            self.product.start()
        finally:
            del os.environ["MODELSCOPE_API_TOKEN"]
        data = self.product.data
        self.secrets["first password"] = (data / "initial_admin_password").read_text().strip()
        self.secrets["command line's key"] = (data / "keys" / "local-cli").read_text().strip()
        self.secrets["pepper"] = (data / "keys" / "pepper").read_bytes().hex()
        self.secrets["key of the stored secrets"] = (data / "keys" / "secrets").read_bytes().hex()
        with closing(self.product.login()) as client:
            self.secrets["chosen password"] = PASSWORD
            self.secrets["session"] = next(iter(client.cookies.values()))
            self._plant(client)

    def _plant(self, client: httpx.Client) -> None:
        for scope in ("inference", "management", "metrics"):
            body = {"name": f"of {scope}", "scopes": [scope]}
            self.secrets[f"key with scope {scope}"] = client.post("/api/v1/keys", json=body).json()["token"]
        proxy = "http://me:{}@127.0.0.1:9".format(GIVEN["proxy's password"])
        token = {"token": GIVEN["stored token"]}
        client.put("/api/v1/settings/hub/tokens/hf", json=token).raise_for_status()
        client.patch("/api/v1/settings/hub", json={"proxy": proxy}).raise_for_status()
        person = {"username": "ada", "password": GIVEN["person's password"]}
        client.post("/api/v1/users", json=person).raise_for_status()
        self._provoke(client)

    def _provoke(self, client: httpx.Client) -> None:
        """Errors with secrets in what was asked."""
        wrong = {"username": "admin", "password": GIVEN["wrong password"]}
        self._hear("wrong login", httpx.post(f"{self.product.url}/api/v1/session", json=wrong))
        self._hear("broken body", client.post("/api/v1/session", content=json.dumps(wrong)[:-3]))
        self._hear("wrong shape", client.post("/api/v1/users", json={"username": 5, "password": wrong["password"]}))
        self._hear("hub", client.post("/api/v1/settings/hub/check"))
        key = {"authorization": f"Bearer {self.secrets['key with scope inference']}"}
        prompt = {"model": "none", "messages": [{"role": "user", "content": GIVEN["prompt"]}]}
        self._hear("no model", httpx.post(f"{self.product.url}/v1/chat/completions", json=prompt, headers=key))
        bad = {"authorization": f"Bearer {self.secrets['key with scope inference']}x"}
        self._hear("bad key", httpx.get(f"{self.product.url}/v1/models", headers=bad))
        for path in ("settings", "settings/hub", "keys", "users", "events?limit=1000", "system", "nodes", "metrics"):
            self._hear(path, client.get(f"/api/v1/{path}"))
        metrics = {"authorization": f"Bearer {self.secrets['key with scope metrics']}"}
        self._hear("gateway's metrics", httpx.get(f"{self.product.url}/metrics", headers=metrics))

    def _hear(self, name: str, answer: httpx.Response) -> None:
        self.said[name] = answer.text + str(answer.headers)

    def run(self, *words: str) -> None:
        """A command, with everything that it prints kept."""
        own = {"AIMINDSERVE_DATA_DIR": str(self.product.data)}
        done = subprocess.run(
            [*COMMAND, *words], env=os.environ | own, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        self.said[" ".join(words[:2])] = done.stdout + done.stderr


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    running = Watched(tmp_path_factory.mktemp("secrets"))
    running.start()
    yield running
    running.product.stop()


def exposed(text: str, secrets: dict[str, str]) -> list[str]:
    return sorted(name for name, secret in secrets.items() if secret in text)


def test_there_are_at_least_twelve_canaries(watched: Watched) -> None:
    assert len(watched.secrets) >= 12
    assert all(len(secret) >= 12 for secret in watched.secrets.values())


def test_the_folder_is_closed_to_others(watched: Watched) -> None:
    data = watched.product.data
    assert data.stat().st_mode & 0o777 == 0o700
    for name in (*(KEEPERS - {"initial_admin_password"}), *PROXY_KEEPERS):
        assert (data / name).stat().st_mode & 0o777 == 0o600, name


def test_only_the_public_port_listens(watched: Watched) -> None:
    ours = {process.pid for process in watched.product.relatives()}
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.net_connections("inet")
        if connection.pid in ours and connection.status == psutil.CONN_LISTEN and connection.laddr
    }
    assert listening == {("127.0.0.1", watched.product.port)}


def test_no_process_shows_a_secret(watched: Watched) -> None:
    titles = [" ".join(process.cmdline()) for process in watched.product.relatives()]
    assert len(titles) >= 3
    assert [found for title in titles if (found := exposed(title, watched.secrets))] == []


def test_no_file_holds_a_secret_that_is_not_its_own(watched: Watched) -> None:
    for path in watched.product.data.rglob("*"):
        name = str(path.relative_to(watched.product.data))
        if not path.is_file() or name in KEEPERS:
            continue
        found = exposed(path.read_bytes().decode("latin-1"), watched.secrets)
        assert found == (["proxy's password at the start"] if name in PROXY_KEEPERS else []), name
    assert exposed(watched.product.log.read_text(), watched.secrets) == []


def test_no_answer_and_no_error_tells_a_secret(watched: Watched) -> None:
    assert len(watched.said) >= 14
    assert {name: found for name, said in watched.said.items() if (found := exposed(said, watched.secrets))} == {}


def test_no_command_tells_a_secret(watched: Watched) -> None:
    before = set(watched.said)
    for words in (["doctor", "-o", "json"], ["hub", "check"], ["key", "ls"], ["events", "export"], ["ls"], ["reload"]):
        watched.run(*words)
    said = {name: text for name, text in watched.said.items() if name not in before}
    assert len(said) == 6
    assert {name: found for name, text in said.items() if (found := exposed(text, watched.secrets))} == {}


def test_a_dump_of_the_database_and_a_backup_hold_none_in_clear(watched: Watched, tmp_path: Path) -> None:
    """In a backup only the keys' files hold secrets: those without which it would be worth nothing."""
    watched.run("backup", str(tmp_path / "b.tar.gz"))
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        for member in archive.getmembers():
            content: Any = archive.extractfile(member)
            if member.name not in KEEPERS:
                assert exposed(content.read().decode("latin-1"), watched.secrets) == [], member.name
        archive.extract("database.sqlite", tmp_path, filter="data")
    with closing(sqlite3.connect(tmp_path / "database.sqlite")) as database:
        dump = "\n".join(database.iterdump())
    assert "INSERT INTO" in dump
    assert exposed(dump, watched.secrets) == []
