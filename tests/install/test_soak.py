"""The whole story on empty systems, and the steps of the Dockerfile. Minutes; ``make soak``."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scripts.build_dist import fetch_wheels, write_sums
from tests.arch.project import ROOT, project_files
from tests.install.conftest import needs_machines
from tests.install.dockerfile import Stage, read_dockerfile
from tests.install.machine import PATH, Machine
from tests.install.roots import BOOKWORM, NOBLE, System, root_of
from tests.install.wheels import altered, breaks_at_start

pytestmark = [needs_machines, pytest.mark.soak]

DATA = "/var/lib/aimindserve"
LARGEST_MIB = 250  # with llama.cpp (105) and the bytecode of what is loaded (17)


def timed(what: str, act: Callable[[], subprocess.CompletedProcess[str]]) -> subprocess.CompletedProcess[str]:
    """Do it and say how long it took."""
    started = time.monotonic()
    done = act()
    print(f"{what}: {time.monotonic() - started:.1f} s", flush=True)
    return done


class Owner:
    """Somebody who runs install.sh on a machine again and again."""

    def __init__(self, machine: Machine, release: Path, scratch: Path) -> None:
        self.machine, self.release, self.scratch = machine, release, scratch
        machine.bring(release, "/media/release")
        machine.bring(ROOT / "tests" / "install" / "person.py", "/media/person.py")

    def install(self, bundle: str, *options: str, **how: bool) -> subprocess.CompletedProcess[str]:
        script = ["sh", "/media/release/install.sh", "--no-systemd", "--offline-bundle", bundle, *options]
        seconds = "20" if "99" in bundle else "600"
        environment = {"AIMINDSERVE_READY_SECONDS": seconds}
        return self.machine.run(*script, check=how.get("check", True), environment=environment)

    def interrupted(self, bundle: str) -> int:
        """The exit code of an upgrade that is told to end while it waits for the new version."""
        script = f"sh /media/release/install.sh --no-systemd --offline-bundle {bundle} & upgrade=$!"
        switched = f"readlink /opt/aimindserve/current | grep -q {Path(bundle).name}"
        until = f"until {switched}; do [ -d /proc/$upgrade ] || exit 9; done"
        return self.machine.run(
            "sh", "-c", f"{script}; {until}; kill -TERM $upgrade; wait $upgrade", check=False
        ).returncode

    def person(self, task: str) -> str:
        python = "/opt/aimindserve/current/bin/python"
        return self.machine.run(python, "/media/person.py", task, DATA).stdout.strip()

    def version(self) -> str:
        return str(json.loads(self.machine.run("aimindserve", "version", "-o", "json").stdout)["version"])

    def next_release(self, version: str, **edits: Callable[[str, str], str]) -> str:
        """A folder of the machine with this release as ``version``."""
        folder = f"/media/{version}"
        self.machine.run("mkdir", "-p", folder)
        self.machine.run("ln", "-s", "/media/release/wheels", f"{folder}/wheels")
        made = altered(next(self.release.glob("*.whl")), self.scratch, version, **edits)
        self.machine.bring(made, f"{folder}/{made.name}")
        return folder

    def engine(self) -> tuple[int, int]:
        """Process and start time of the demo model's engine, as its ledger has them."""
        (ledger,) = self.machine.place(f"{DATA}/replicas").glob("*/ledger.json")
        told = json.loads(ledger.read_text())
        return told["pid"], told["start_time"]


@pytest.mark.parametrize("system", [BOOKWORM, NOBLE], ids=lambda system: system.suite)
def test_from_an_empty_system_to_an_empty_system(system: System, release: Path, tmp_path: Path) -> None:
    fetch_wheels(tmp_path / "wheels", system.pythons)
    (tmp_path / "release").mkdir()
    for file in release.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path / "release")
    release = tmp_path / "release"
    (tmp_path / "wheels").rename(release / "wheels")
    write_sums(release)
    with Machine(root_of(system), tmp_path / "machine") as machine:
        owner = Owner(machine, release, tmp_path)
        before = state_of(machine)
        done = timed("install", lambda: owner.install("/media/release", "--demo"))
        print(done.stdout)
        size = int(machine.run("du", "-sm", "/opt/aimindserve").stdout.split()[0])
        print(f"size: {size} MiB")
        assert size <= LARGEST_MIB
        assert owner.person("login") == "['tiny-vlm']"
        assert len(owner.person("ask")) > 10
        engine = owner.engine()

        timed("upgrade", lambda: owner.install(owner.next_release("0.1.50")))
        assert owner.version() == "0.1.50"
        assert owner.person("login") == "['tiny-vlm']"
        assert owner.engine() == engine, "the model went on running"
        assert len(owner.person("ask")) > 10

        broken = owner.next_release("0.1.99", edit=breaks_at_start)
        failed = timed("roll-back", lambda: owner.install(broken, "--key-queue", "9", check=False))
        assert failed.returncode == 1
        assert "0.1.99 did not answer" in failed.stderr
        assert owner.version() == "0.1.50"
        assert owner.person("login") == "['tiny-vlm']"
        assert owner.engine() == engine
        assert "key_queue" not in machine.run("cat", "/etc/aimindserve/config.yaml").stdout
        kept = machine.run("ls", "/opt/aimindserve/versions").stdout.split()
        assert len(kept) <= 3
        assert machine.run("ls", f"{DATA}/backups").stdout.count("before-") == 2

        assert owner.interrupted(owner.next_release("0.1.98", edit=breaks_at_start)) == 143
        assert owner.version() == "0.1.50"
        assert owner.person("login") == "['tiny-vlm']"
        assert owner.engine() == engine

        timed("remove", lambda: machine.run("aimindserve", "uninstall", "--yes"))
        timed("install again", lambda: owner.install("/media/release"))
        assert owner.person("login") == "['tiny-vlm']", "the data was kept"
        machine.run("aimindserve", "uninstall", "--yes", "--purge")
        assert state_of(machine) == before
        assert [p for p in machine.processes() if "aimindserve" in " ".join(p.cmdline())] == []


def state_of(machine: Machine) -> tuple[str, ...]:
    """Names of files where an installation could leave something, and the accounts."""
    files = machine.run("find", "/opt", "/usr/local", "/etc", "/var/lib", "/tmp", "/root", "-not", "-name", "*-").stdout
    accounts = machine.run("sort", "/etc/passwd", "/etc/group").stdout
    return (*sorted(files.splitlines()), accounts)


def test_the_steps_of_the_dockerfile(tmp_path: Path) -> None:
    """Every step of the two Debian stages on an empty Debian; the page is the one that is built here."""
    _, building, final = read_dockerfile((ROOT / "Dockerfile").read_text())
    root = root_of(BOOKWORM)
    with Machine(root, tmp_path / "building", network=True) as builder:
        follow(builder, building, {"page": ROOT / "src" / "aimindserve" / "ui_dist"})
        environment = tmp_path / "environment"
        shutil.copytree(builder.place("/opt/aimindserve"), environment, symlinks=True)
    with Machine(root, tmp_path / "final", network=True) as container:
        follow(container, final, {"environment": environment})
        variables = dict(word.split("=", 1) for env in final.all("ENV") for word in env.words)
        variables["PATH"] = f"/opt/aimindserve/bin:{PATH}"
        entry = [*final.all("ENTRYPOINT")[0].words[2:], *final.all("CMD")[0].words, "--port", "18080"]
        user = final.all("USER")[0].text.split(":")[0]
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--bounding-set=-all"]
        started = f"cd {DATA} && exec setsid {' '.join([*as_user, *entry])} >/tmp/log 2>&1 </dev/null &"
        container.run("sh", "-c", started, environment={**variables, "HOME": DATA})
        ask = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:18080/readyz', timeout=4)"
        for _ in range(300):
            if container.run("python3", "-c", ask, check=False).returncode == 0:
                break
            time.sleep(0.2)
        else:
            pytest.fail(container.run("cat", "/tmp/log").stdout)
        size = container.run("du", "-sm", "/opt/aimindserve").stdout
        print(f"environment in the image: {size.split()[0]} MiB")


def follow(machine: Machine, stage: Stage, stages: dict[str, Path]) -> None:
    """Do what RUN, COPY and WORKDIR of a stage say; ``stages``: folders of what earlier stages made."""
    network = {name: value for name, value in os.environ.items() if "proxy" in name.lower() or name.startswith("PIP_")}
    network.pop("PIP_FIND_LINKS", None)
    for file in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(file, machine.place(file))
    where = "/"
    for step in stage.instructions:
        if step.name == "WORKDIR":
            where = step.text
            machine.run("mkdir", "-p", where)
        elif step.name == "COPY":
            copy(machine, step.words, where, stages)
        elif step.name == "RUN":
            machine.run("bash", "-o", "pipefail", "-c", f"cd {where} && {step.text}", environment=network)


def copy(machine: Machine, words: list[str], where: str, stages: dict[str, Path]) -> None:
    """COPY, with the tracked files as the context."""
    *sources, target = [word for word in words if not word.startswith("--")]
    place = machine.place(f"{where}/{target}")
    if words[0].startswith("--from="):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(stages[words[0].removeprefix("--from=")], place, symlinks=True)
        return
    for source in sources:
        top = ROOT / source
        for file in project_files():
            if file == top or file.is_relative_to(top):
                into = place / file.relative_to(top) if top.is_dir() else place / file.name
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, into)
