"""Backup and restore as an administrator does them, with the whole product."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.product import COMMAND, PATIENCE, Product
from tests.server.fixtures import Postgres, postgres

pytestmark = pytest.mark.heavy
__all__ = ["postgres"]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    running = Product(tmp_path / "data")
    running.start()
    yield running
    running.stop()


def names(product: Product) -> list[str]:
    return sorted(key["name"] for key in api(product, "GET").json()["items"])


def api(product: Product, method: str, body: dict[str, object] | None = None) -> httpx.Response:
    """The keys, asked with the command line's own key."""
    key = {"authorization": f"Bearer {(product.data / 'keys' / 'local-cli').read_text().strip()}"}
    answer = httpx.request(method, f"{product.url}/api/v1/keys", json=body, headers=key, timeout=PATIENCE)
    return answer.raise_for_status()


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], check=False, capture_output=True, text=True, env=os.environ | environment, timeout=PATIENCE
    )


def test_what_was_backed_up_is_back_after_a_restore(product: Product, tmp_path: Path, postgres: Postgres) -> None:
    """Also what the commands refuse: over a running server, over data, over a file."""
    api(product, "POST", {"name": "kept", "scopes": ["inference"]})
    archive = tmp_path / "archive.tar.gz"
    made = product.cli("backup", str(archive))
    assert (made["file"], made["tables"]["users"]) == (str(archive), 2)
    assert product.run_cli("backup", str(archive)).returncode == 1
    api(product, "POST", {"name": "too-late", "scopes": ["inference"]})
    running = product.run_cli("restore", str(archive), "--force")
    assert (running.returncode, "is running" in running.stderr) == (1, True)
    assert names(product) == ["kept", "too-late"]

    product.stop()
    refused = product.run_cli("restore", str(archive))
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    restored = product.cli("restore", str(archive), "--force")
    assert Path(restored["moved_aside"], "database.sqlite").is_file()
    url = postgres.new_database()
    moved = run("migrate", "--to", url, "--data-dir", str(product.data), "-o", "json")
    assert (moved.returncode, "api_keys" in moved.stdout) == (0, True), moved.stderr

    for options in ((), ("--database-url", url)):  # restored into SQLite, and moved on to PostgreSQL
        product.options = options
        product.start()
        assert names(product) == ["kept"]
        product.stop()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("restore", "/dev/null"), "damaged"),
        (("restore", "/nowhere/b.tar.gz"), "cannot be used"),
        (("backup", "/tmp/never.tar.gz"), "no data"),
        (("migrate", "--to", "postgresql://me:canary@127.0.0.1:9/x"), "does not work"),
    ],
)
def test_troubles_are_told_with_a_remedy(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = run(*words, "--data-dir", str(tmp_path / "none"), LANG="C")
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2, done.stderr
    assert "canary" not in done.stderr + done.stdout


def test_a_password_leaves_the_title_of_the_process(tmp_path: Path) -> None:
    """The command starts over without its argument: what the second process was started with is what others see."""
    script = (
        "import os, sys\n"
        "os.execv = lambda program, argv: (print(argv, os.environ['AIMINDSERVE_MIGRATE_TO']), sys.exit(0))\n"
        "from aimindserve.cli.main import main\n"
        f"sys.argv = ['x', 'migrate', '--to', 'postgresql://me:canary@h/x', '--data-dir', {str(tmp_path)!r}]\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE)
    argv, _, address = done.stdout.rpartition("] ")
    assert "canary" not in argv
    assert address.strip() == "postgresql://me:canary@h/x"
