"""The doctor: each fault is planted, must be told with its cause and remedy, and is gone after ``--fix`` where it says
that it can be fixed."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from aimindserve.cli import diagnosis, diagnosis_data, hardware
from aimindserve.cli.diagnosis import clock_finding
from aimindserve.cli.diagnosis_data import check_data_dir, check_database, left_over, mend, permissions
from aimindserve.cli.diagnosis_hubs import hub_findings
from aimindserve.domain.findings import Finding, Health, worded
from aimindserve.domain.nodes import Device, DeviceKind
from aimindserve.domain.reasons import ReasonCode
from aimindserve.node.vllm_programs import cuda_of
from aimindserve.server.bootstrap import lock_data, prepare_folders
from aimindserve.server.files import create_private_file
from aimindserve.server.settings import Settings, resolve_settings


def settings_of(folder: Path, port: int = 8080, **more: object) -> Settings:
    """Settings of a data folder that nobody uses."""
    return resolve_settings({"data_dir": str(folder), "host": "127.0.0.1", "port": port, **more}, {})


@pytest.fixture
def used(tmp_path: Path) -> Settings:
    """A data folder as a server leaves it."""
    settings = settings_of(tmp_path / "data")
    prepare_folders(settings)
    for name in ("pepper", "secrets", "local-cli"):
        create_private_file(tmp_path / "data" / "keys" / name, b"x")
    return settings


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_new_machine_is_fine(tmp_path: Path, unused_port: int) -> None:
    settings = settings_of(tmp_path / "new", unused_port)
    for check in (
        diagnosis.check_python,
        diagnosis.check_machine,
        check_data_dir,
        diagnosis.check_port,
        check_database,
    ):
        assert check(settings).health is Health.OK


def test_a_folder_in_use_is_fine(used: Settings) -> None:
    assert codes(permissions(used)) == ["permissions"]
    assert codes(left_over(used)) == ["nothing_left"]


def test_a_taken_port_names_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        finding = diagnosis.check_port(settings_of(tmp_path, holder.getsockname()[1]))
    assert (finding.health, finding.code) == (Health.FAIL, ReasonCode.PUBLIC_PORT_TAKEN_BY)
    message, remedy = worded(finding, "en")
    assert f"process {os.getpid()}" in message
    assert "--port" in remedy


def test_an_address_that_is_not_ours(tmp_path: Path, unused_port: int) -> None:
    finding = diagnosis.check_port(settings_of(tmp_path, unused_port, host="203.0.113.7"))
    assert finding.code == ReasonCode.HOST_UNKNOWN


Plant = Callable[[Settings], object]


def _folder(settings: Settings) -> Path:
    return Path(settings.data_dir)


def _old(path: Path) -> None:
    """Something half made that nobody has worked on for a day."""
    path.mkdir(parents=True, mode=0o700)
    os.utime(path, (1.0, 1.0))


FAULTS: dict[str, tuple[str, Plant]] = {
    "the folder is open": ("open_to_others", lambda s: _folder(s).chmod(0o755)),
    "a key is open": ("open_to_others", lambda s: (_folder(s) / "keys" / "pepper").chmod(0o644)),
    "the database is open": ("open_to_others", lambda s: (_folder(s) / "database.sqlite").chmod(0o640)),
    "the keys' folder is open": ("open_to_others", lambda s: (_folder(s) / "keys").chmod(0o750)),
    "a folder is missing": ("folder_missing", lambda s: (_folder(s) / "logs").rmdir()),
    "a socket is stale": ("left_over", lambda s: (Path(s.run_dir) / "server.sock").touch(0o600)),
    "a pid file is stale": ("left_over", lambda s: (Path(s.run_dir) / "supervisor.lock").write_text("4711\n")),
    "a backup died": ("left_over", lambda s: _old(_folder(s) / ".backup-x")),
    "a bundle died": ("left_over", lambda s: _old(_folder(s) / "models" / ".bundle-x")),
    "a file was half written": ("left_over", lambda s: _old(_folder(s) / "keys" / ".pepper.1f")),
}


def look(settings: Settings) -> list[Finding]:
    return [check_data_dir(settings), *permissions(settings), *left_over(settings)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_mended(used: Settings, fault: str) -> None:
    code, plant = FAULTS[fault]
    plant(used)
    found = [finding for finding in look(used) if finding.health is not Health.OK]
    assert codes(found) == [code]
    assert all(worded(found[0], language)[1] for language in ("en", "zh"))
    assert found[0].fix is not None
    mend(found[0].fix)
    assert [finding for finding in look(used) if finding.health is not Health.OK] == []


def test_an_open_key_is_a_failure(used: Settings) -> None:
    (_folder(used) / "keys" / "secrets").chmod(0o604)
    assert [finding.health for finding in permissions(used)] == [Health.FAIL]


def test_a_link_among_the_keys_is_told_and_left_alone(used: Settings, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("somebody's")
    victim.chmod(0o644)
    (_folder(used) / "keys" / "pepper").unlink()
    (_folder(used) / "keys" / "pepper").symlink_to(victim)
    (found,) = permissions(used)
    assert (found.code, found.health, found.fix) == ("secret_is_link", Health.FAIL, None)
    with pytest.raises(OSError, match="symbolic"):
        mend(diagnosis_data._fix(diagnosis_data.Mend.CLOSE, _folder(used) / "keys" / "pepper"))
    assert victim.stat().st_mode & 0o777 == 0o644


def test_a_file_of_another_account(used: Settings) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(_folder(used) / "keys" / "pepper", 12345, 12345)
    (found,) = permissions(used)
    assert (found.code, found.health) == ("file_of_other", Health.FAIL)
    assert "12345" in worded(found, "en")[0]


def test_what_a_running_server_uses_is_not_left_over(used: Settings) -> None:
    (Path(used.run_dir) / "server.sock").touch(0o600)
    lock = lock_data(used.paths)
    try:
        assert list(left_over(used)) == []
    finally:
        os.close(lock)


def test_what_a_command_may_be_working_on_is_left_alone(used: Settings) -> None:
    (_folder(used) / ".backup-now").mkdir(mode=0o700)
    assert codes(left_over(used)) == ["nothing_left"]


def test_an_unfinished_restore_is_told(used: Settings) -> None:
    (_folder(used) / ".restore").mkdir(mode=0o700)
    (found,) = left_over(used)
    assert (found.code, found.fix) == ("restore_unfinished", None)


def test_a_damaged_database_is_found(tmp_path: Path) -> None:
    file = tmp_path / "database.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [("y" * 500,)] * 200)
    connection.close()
    assert check_database(settings_of(tmp_path)).health is Health.OK
    content = bytearray(file.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    file.write_bytes(content)
    finding = check_database(settings_of(tmp_path))
    assert (finding.health, finding.code) == (Health.FAIL, ReasonCode.DATABASE_DAMAGED)
    assert "restore" in worded(finding, "en")[1]


@pytest.mark.parametrize(("schema", "code"), [("9999", "schema_newer"), ("0001", "schema_old")])
def test_a_schema_that_is_not_todays(tmp_path: Path, schema: str, code: str) -> None:
    with sqlite3.connect(tmp_path / "database.sqlite") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (schema,))
    connection.close()
    assert check_database(settings_of(tmp_path)).code == code


def test_a_postgresql_that_nobody_answers_for(tmp_path: Path, unused_port: int) -> None:
    url = f"postgresql://someone:canary@127.0.0.1:{unused_port}/db"
    finding = check_database(settings_of(tmp_path, database_url=url))
    assert finding.health is Health.FAIL
    assert "canary" not in " ".join(worded(finding, "en"))


def test_a_full_disk_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISK_NEEDED", "DISK_WANTED"):
        monkeypatch.setattr(diagnosis, name, 2**60)
    finding = diagnosis.check_disk(settings_of(tmp_path))
    assert (finding.health, finding.code) == (Health.FAIL, ReasonCode.DISK_LOW)
    assert "--data-dir" in worded(finding, "en")[1]


def test_too_little_memory_and_too_few_names_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "MEMORY_WANTED", 2**60)
    assert diagnosis.check_memory(settings_of(tmp_path)).code == ReasonCode.MEMORY_LOW
    monkeypatch.setattr(diagnosis, "INODES_WANTED", 2**60)
    if os.statvfs(tmp_path).f_files:
        assert diagnosis.check_disk(settings_of(tmp_path)).code == ReasonCode.INODES_LOW


@pytest.mark.parametrize(
    ("now", "synchronised", "code"),
    [(0.0, True, "clock_wrong"), (1_790_000_000.0, False, "clock_unsynchronised"), (1_790_000_000.0, True, "clock")],
)
def test_the_clock(now: float, synchronised: bool, code: str) -> None:
    assert clock_finding(now, synchronised=synchronised).code == code


def test_no_server_is_no_failure(tmp_path: Path) -> None:
    finding = diagnosis.check_server(settings_of(tmp_path / "none"))
    assert finding.health is Health.OK
    assert "aimindserve start" in worded(finding, "en")[0]


def test_the_cpu_is_a_device_and_a_missing_driver_no_failure(tmp_path: Path) -> None:
    findings = list(hardware.hardware_findings(settings_of(tmp_path)))
    assert "device" in codes(findings)
    assert all(finding.health is not Health.FAIL for finding in findings if finding.name == "device")


def test_a_fleet_file_that_is_none(tmp_path: Path) -> None:
    (found,) = hardware.hardware_findings(settings_of(tmp_path, declared_fleet=str(tmp_path / "no.json")))
    assert (found.code, found.health) == (ReasonCode.FLEET_INVALID, Health.FAIL)


def test_a_configured_engine_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    missing = str(tmp_path / "llama-server")
    finding = next(hardware.engine_findings(settings_of(tmp_path, llama_server=missing)))
    assert finding.health is Health.FAIL
    assert missing in worded(finding, "en")[0]


def test_the_cuda_of_an_environment(tmp_path: Path) -> None:
    """What CUDA it was built for is read from the environment itself."""
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    (packages / "torch").mkdir(parents=True)
    (packages / "torch" / "version.py").write_text("__version__ = '2.9.0'\ncuda: Optional[str] = '13.0'\nhip = None\n")
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text(f"#!{tmp_path}/bin/python3\n")
    assert cuda_of(program) == "13.0"
    assert cuda_of(tmp_path / "no" / "vllm") is None


def nvidia(driver: str) -> Device:
    return Device(id="g", kind=DeviceKind.NVIDIA, name="G", memory_total=1, memory_free=1, allocatable=1, driver=driver)


def test_an_engine_in_the_data_folder_is_held_against_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    packages = tmp_path / "engines" / "vllm" / "0.33.0" / "lib" / "python3.12" / "site-packages"
    (packages / "torch").mkdir(parents=True)
    (packages / "vllm-0.33.0.dist-info").mkdir()
    (packages / "torch" / "version.py").write_text("cuda: Optional[str] = '13.0'\n")
    program = tmp_path / "engines" / "vllm" / "0.33.0" / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text("#!/usr/bin/python3\n")
    settings = Settings(data_dir=str(tmp_path))
    for driver, code in (("570.124.06", "driver_below_engine"), ("580.95.05", "engine")):
        gpu = nvidia(driver)
        found = list(hardware.engine_findings(settings, [gpu]))[-1]
        assert found.code == code
        assert (found.health is Health.FAIL) is (code == "driver_below_engine")


def test_an_engine_that_others_can_reach_is_a_failure() -> None:
    import psutil

    with socket.create_server(("0.0.0.0", 0)) as outside, socket.create_server(("127.0.0.1", 0)):
        found = list(hardware._exposed(psutil.Process()))
        port = outside.getsockname()[1]
    assert [finding.code for finding in found] == [ReasonCode.ENGINE_EXPOSED]
    assert str(port) in worded(found[0], "en")[0]


def test_hubs_are_asked_only_when_asked_for_or_configured(tmp_path: Path, unused_port: int) -> None:
    mirror = f"http://127.0.0.1:{unused_port}"
    settings = settings_of(tmp_path, huggingface_endpoint=mirror, modelscope_endpoint=mirror)
    assert codes(hub_findings(settings_of(tmp_path), ask=False)) == ["hub_not_asked"]
    assert codes(hub_findings(settings, ask=False)) == ["hub_unreachable"] * 2
    assert codes(hub_findings(settings.model_copy(update={"offline": True}), ask=True)) == ["hub_offline"]


def test_the_command_mends_and_ends_with_1_for_a_failure(used: Settings) -> None:
    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aimindserve.cli.main", "doctor", "--data-dir", used.data_dir, *words]
        own = {"PATH": "/usr/bin:/bin", "HOME": used.data_dir, "AIMINDSERVE_HOST": "127.0.0.1"}
        return subprocess.run(command, env=own | environment, capture_output=True, text=True, check=False, timeout=60)

    (_folder(used) / "keys" / "pepper").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        done = run("-o", "json", "--fix", AIMINDSERVE_PORT=port)
        chinese = run(AIMINDSERVE_PORT=port, LANG="zh_CN.UTF-8", PYTHONUTF8="1")
    items = {item["name"]: item for item in json.loads(done.stdout)["items"]}
    assert done.returncode == chinese.returncode == 1
    assert (items["port"]["health"], items["port"]["code"]) == ("fail", "public_port_taken_by")
    assert items["permissions"]["fixed"]
    assert (_folder(used) / "keys" / "pepper").stat().st_mode & 0o777 == 0o600
    assert items["engine"]["health"] == "ok"
    assert "已被进程" in chinese.stdout
