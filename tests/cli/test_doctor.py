"""The doctor: each finding is made to happen and must be told with its remedy."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from aimindserve.cli import diagnosis
from aimindserve.cli.diagnosis import Health
from aimindserve.cli.hardware import device_findings, engine_findings
from aimindserve.server.settings import Settings, resolve_settings


def settings_of(folder: Path, port: int = 8080, **more: object) -> Settings:
    """Settings of a data folder that nobody uses."""
    return resolve_settings({"data_dir": str(folder), "host": "127.0.0.1", "port": port, **more}, {})


def test_a_new_machine_is_fine(tmp_path: Path, unused_port: int) -> None:
    settings = settings_of(tmp_path / "new", unused_port)
    for check in (diagnosis.check_python, diagnosis.check_data_dir, diagnosis.check_port, diagnosis.check_database):
        assert check(settings).health is Health.OK


def test_a_taken_port_names_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        finding = diagnosis.check_port(settings_of(tmp_path, holder.getsockname()[1]))
    assert finding.health is Health.FAIL
    assert f"process {os.getpid()}" in finding.message
    assert "--port" in finding.remedy


def test_a_data_folder_open_to_others_is_noted(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    finding = diagnosis.check_data_dir(settings_of(folder))
    assert (finding.health, finding.remedy) == (Health.WARN, f"chmod 700 {folder}")


def test_a_damaged_database_is_found(tmp_path: Path) -> None:
    file = tmp_path / "database.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [("y" * 500,)] * 200)
    connection.close()
    assert diagnosis.check_database(settings_of(tmp_path)).health is Health.OK
    content = bytearray(file.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    file.write_bytes(content)
    finding = diagnosis.check_database(settings_of(tmp_path))
    assert finding.health is Health.FAIL
    assert "backup" in finding.remedy


def test_a_postgresql_that_nobody_answers_for(tmp_path: Path, unused_port: int) -> None:
    url = f"postgresql://someone:canary@127.0.0.1:{unused_port}/db"
    finding = diagnosis.check_database(settings_of(tmp_path, database_url=url))
    assert finding.health is Health.FAIL
    assert "canary" not in finding.message + finding.remedy


def test_a_full_disk_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "DISK_NEEDED", 2**60)
    finding = diagnosis.check_disk(settings_of(tmp_path))
    assert finding.health is Health.FAIL
    assert "--data-dir" in finding.remedy


def test_no_server_is_no_failure(tmp_path: Path) -> None:
    finding = diagnosis.check_server(settings_of(tmp_path / "none"))
    assert finding.health is Health.WARN
    assert "aimindserve start" in finding.remedy


def test_the_cpu_is_a_device_and_a_missing_driver_no_failure(tmp_path: Path) -> None:
    findings = list(device_findings(settings_of(tmp_path)))
    assert findings
    assert all(finding.health is not Health.FAIL for finding in findings)


def test_a_configured_engine_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    missing = str(tmp_path / "llama-server")
    finding = next(engine_findings(settings_of(tmp_path, llama_server=missing)))
    assert finding.health is Health.FAIL
    assert missing in finding.message


def test_the_command_ends_with_1_for_a_failure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        done = subprocess.run(
            [sys.executable, "-m", "aimindserve.cli.main", "doctor", "-o", "json", "--data-dir", str(tmp_path / "d")],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AIMINDSERVE_HOST": "127.0.0.1",
                 "AIMINDSERVE_PORT": str(holder.getsockname()[1])},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    items = {item["name"]: item for item in json.loads(done.stdout)["items"]}
    assert done.returncode == 1
    assert items["port"]["health"] == "fail"
    assert items["engine"]["health"] == "ok"
