"""Root's installation on this machine's own system: account, folders, a service under systemd's rules, secrets."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.install.conftest import needs_machines
from tests.install.machine import Machine

pytestmark = [needs_machines, pytest.mark.heavy]

TOKEN, DATABASE_WORD = "hf_canaryCANARYcanary", "canary-of-the-database"
UNIT = "/etc/systemd/system/aimindserve.service"
# As much of systemctl as install.sh calls: starts what the unit says, as the account that it says.
SYSTEMCTL = """#!/bin/sh
value() { sed -n "s/^$1=//p" /etc/systemd/system/aimindserve.service; }
echo "$*" >>/run/systemctl.log
running() { pid=$(cat /run/main.pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null; }
stop() {
    running || return 0
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}
case $1 in
    stop) stop ;;
    restart)
        stop
        # shellcheck disable=SC2046
        setsid setpriv --reuid="$(value User)" --regid="$(value Group)" --init-groups --no-new-privs \\
            --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service \\
            env -i HOME=/var/lib/aimindserve PATH=/usr/bin:/bin $(value ExecStart) >/run/journal 2>&1 </dev/null &
        echo $! >/run/main.pid
        ;;
esac
"""


def with_systemd(machine: Machine) -> None:
    """Let the machine look as if systemd ran it."""
    machine.run("mkdir", "-p", "/run/systemd/system")
    place = machine.place("/usr/local/sbin/systemctl")
    place.write_text(SYSTEMCTL)
    place.chmod(0o755)


def install(machine: Machine, *options: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    script = "/media/release/install.sh"
    return machine.run("sh", script, "--offline-bundle", "/media/release", *options, environment=environment)


def test_a_service_of_its_own(machine: Machine) -> None:
    with_systemd(machine)
    machine.run("groupadd", "--system", "--force", "render")
    done = install(machine, "--demo", "--with=none", environment={"HF_TOKEN": TOKEN})
    assert "Password  cat /var/lib/aimindserve/initial_admin_password" in done.stdout
    assert "Page      http://" in done.stdout
    calls = machine.run("cat", "/run/systemctl.log").stdout.split("\n")
    assert calls[:3] == ["daemon-reload", "enable -q aimindserve", "restart aimindserve"]

    groups = machine.run("id", "-nG", "aimindserve").stdout.split()
    assert {"aimindserve", "video", "render"} == set(groups)
    unit = machine.run("cat", UNIT).stdout
    assert "SupplementaryGroups=video render" in unit
    reload = next(line for line in unit.splitlines() if line.startswith("ExecReload=")).partition("=")[2]
    told = machine.run("setpriv", "--reuid=aimindserve", "--regid=aimindserve", "--init-groups", *reload.split()).stdout
    assert "Nothing to put in force" in told, "the service's account may read what it needs"
    verify(machine)

    assert machine.run("stat", "-c", "%a %U", "/var/lib/aimindserve").stdout == "700 aimindserve\n"
    assert machine.run("stat", "-c", "%a %U %G", "/etc/aimindserve/config.yaml").stdout == "640 root aimindserve\n"
    assert machine.run("stat", "-c", "%a", "/var/lib/aimindserve/keys/huggingface-token").stdout == "600\n"
    owners = set(machine.run("find", "/var/lib/aimindserve", "-printf", "%u\n").stdout.split())
    assert owners == {"aimindserve"}
    outside = [p for p in machine.processes() if "aimindserve." in " ".join(p.cmdline()) and p.uids().real == 0]
    assert outside == [], "nothing of it runs as root"
    assert_secret(machine, done)

    # Root administers a service of another account.
    assert "tiny-vlm" in machine.run("aimindserve", "ls").stdout
    machine.run("aimindserve", "reset-admin-password")
    assert machine.run("stat", "-c", "%U", "/var/lib/aimindserve/initial_admin_password").stdout == "aimindserve\n"

    listed = machine.run("aimindserve", "uninstall", "--purge", "--dry-run").stdout
    machine.run("aimindserve", "uninstall", "--purge", "--yes")
    for path in (UNIT, "/usr/local/bin/aimindserve", "/opt/aimindserve", "/etc/aimindserve", "/var/lib/aimindserve"):
        assert path in listed
        assert machine.run("test", "-e", path, check=False).returncode == 1, path
    assert machine.run("id", "aimindserve", check=False).returncode == 1
    assert not [p for p in machine.processes() if "aimindserve" in " ".join(p.cmdline())]


def verify(machine: Machine) -> None:
    """systemd's own opinion of the unit: no complaint, and little exposed."""
    if shutil.which("systemd-analyze") is None:
        return
    done = machine.run("systemd-analyze", "verify", UNIT, check=False)
    complaints = [line for line in done.stderr.splitlines() if "aimindserve" in line]
    assert complaints == []
    rated = machine.run("systemd-analyze", "security", "--offline=true", "--threshold=50", UNIT, check=False)
    assert rated.returncode == 0, rated.stdout


def assert_secret(machine: Machine, done: subprocess.CompletedProcess[str]) -> None:
    """The token is in its own file and nowhere else on the machine."""
    found = machine.run("grep", "-rlF", TOKEN, "/etc", "/opt/aimindserve", "/run", "/tmp", "/var", check=False).stdout
    assert found.split() == ["/var/lib/aimindserve/keys/huggingface-token"]
    assert TOKEN not in done.stdout + done.stderr
    for process in machine.processes():
        assert TOKEN not in " ".join([*process.cmdline(), *process.environ().values()])


def test_a_folder_with_other_things_is_left_alone(machine: Machine) -> None:
    machine.run("mkdir", "-p", "/data/photos")
    done = machine.run(
        "sh", "/media/release/install.sh", "--no-systemd", "--offline-bundle", "/media/release", "--data-dir", "/data",
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "holds other things" in done.stderr
    assert machine.run("stat", "-c", "%U", "/data").stdout == "root\n"
    assert not Path(machine.place("/opt/aimindserve/current")).exists()
