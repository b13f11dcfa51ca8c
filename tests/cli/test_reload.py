"""A changed configuration file is put in force while everything that serves goes on; audit export; log rotation."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.product import Product, wait_for

from aimindserve.cli import logfiles
from aimindserve.cli.events import _cell
from aimindserve.cli.reload import changes
from aimindserve.server.settings import Settings, given_by_environment


def test_what_is_put_in_force_and_what_waits(tmp_path: Path) -> None:
    old = Settings.model_validate({"data_dir": str(tmp_path), "port": 1})
    new = old.model_copy(update={"log_level": "debug", "port": 2, "offline": True, "max_body_bytes": 5})
    assert changes(old, new) == (["offline", "log_level", "max_body_bytes"], ["port"])
    assert changes(old, old) == ([], [])


def test_secrets_of_the_environment_are_not_remembered() -> None:
    given = given_by_environment(
        {"HF_TOKEN": "canary", "AIMINDSERVE_HUGGINGFACE_TOKEN": "canary", "AIMINDSERVE_PORT": "1", "PATH": "/bin",
         "MODELSCOPE_API_TOKEN": "canary", "HF_ENDPOINT": "https://m.example"}
    )  # fmt: skip
    assert given == {"AIMINDSERVE_PORT": "1", "HF_ENDPOINT": "https://m.example"}


def test_a_long_log_is_put_aside_under_its_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfiles, "LOG_LIMIT", 10)
    log = tmp_path / "logs" / "server.log"
    writer = logfiles.open_log(log)
    try:
        for number in range(6):
            os.write(writer, f"line {number} is long\n".encode())
            assert logfiles.rotate(log)
            assert not logfiles.rotate(log)
        os.write(writer, b"new\n")
    finally:
        os.close(writer)
    assert log.read_text() == "new\n"
    aside = sorted(path.name for path in log.parent.iterdir())
    assert aside == ["server.log", "server.log.1", "server.log.2", "server.log.3"]
    assert [(log.parent / name).read_text() for name in aside[1:]] == [
        "line 5 is long\n", "line 4 is long\n", "line 3 is long\n",
    ]  # fmt: skip
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in log.parent.iterdir())


def test_a_link_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfiles, "LOG_LIMIT", 1)
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "x.log").symlink_to(tmp_path / "victim")
    assert not logfiles.rotate(tmp_path / "x.log")
    assert (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_becomes_a_formula(text: str) -> None:
    assert _cell(text) == f"'{text}"
    assert _cell("ada") == "ada"
    assert _cell(-1) == -1


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("reload")
    (folder / "config.yaml").write_text("log_level: info\nkey_queue: 10\n")
    running = Product(folder / "data", "--config", str(folder / "config.yaml"))
    running.start()
    yield running
    running.stop()


def settings(product: Product) -> dict[str, object]:
    with_session = product.login()
    try:
        items = with_session.get("/api/v1/settings").raise_for_status().json()["items"]
    finally:
        with_session.close()
    return {item["name"]: item["value"] for item in items}


@pytest.mark.heavy
def test_a_changed_file_is_in_force_and_the_gateway_goes_on(product: Product) -> None:
    config = product.data.parent / "config.yaml"
    gateway = product.process_of("gateway")
    assert settings(product)["log_level"] == "info"
    config.write_text("log_level: debug\nkey_queue: 10\noffline: true\n")
    assert product.cli("reload") == {"in_force": ["offline", "log_level"], "waiting_for_a_start": []}
    wait_for("the gateway holds the new server's table", product._ready)
    now = settings(product)
    assert (now["log_level"], now["offline"], now["key_queue"], now["port"]) == ("debug", True, 10, product.port)
    assert product.process_of("gateway") == gateway
    assert product.cli("reload") == {"in_force": [], "waiting_for_a_start": []}
    config.write_text("log_level: debug\nkey_queue: 20\noffline: true\n")
    assert product.cli("reload") == {"in_force": ["key_queue"], "waiting_for_a_start": []}
    wait_for("another gateway took over", lambda: product.process_of("gateway") not in (None, gateway))
    wait_for("it holds the new server's table", product._ready)
    assert settings(product)["key_queue"] == 20
    config.write_text("log_levle: debug\n")
    refused = product.run_cli("reload")
    assert (refused.returncode, "log_level?" in refused.stderr) == (1, True)


@pytest.mark.heavy
def test_the_audit_trail_is_exported_whole_and_goes_on(product: Product, tmp_path: Path) -> None:
    for _ in range(3):
        product.inference_key()
    first = product.cli("events", "export", str(tmp_path / "a.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert first["events"] == len(lines)
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    assert sum(line["kind"] == "key.created" for line in lines) >= 3
    assert (tmp_path / "a.jsonl").stat().st_mode & 0o777 == 0o600
    product.inference_key()
    done = product.run_cli("events", "export", "--format", "csv", "--after", str(first["last_id"]))
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["kind"] for row in rows] == ["key.created"]
    assert product.cli("events", "ls", "--limit", "1")["items"][0]["kind"] == "key.created"
