"""install.sh as a text and as far as it goes without installing anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.arch.project import ROOT

SCRIPT = ROOT / "install.sh"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def run(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script as an ordinary user's, also where root runs the tests."""
    bare = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home), **environment}
    return subprocess.run(
        [*as_a_user(), str(shutil.which("sh")), SCRIPT, *arguments],
        env=bare, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def as_a_user() -> list[str]:
    """What makes a command an ordinary user's where root runs the tests."""
    return [str(shutil.which("unshare")), "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run([SHELLCHECK, "--shell=sh", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_every_shell_reads_it(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n", SCRIPT], check=True)


def test_a_download_that_was_cut_short_does_nothing(tmp_path: Path) -> None:
    text = SCRIPT.read_text()
    for part in (0.3, 0.7, 0.99):
        cut = text[: int(len(text) * part)]
        subprocess.run(["sh"], input=cut, text=True, capture_output=True, check=False, env={"HOME": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_help_in_both_languages(tmp_path: Path) -> None:
    english, chinese = (run("--help", home=tmp_path, LANG=lang).stdout for lang in ("C.UTF-8", "zh_CN.UTF-8"))
    assert "Usage:" in english
    assert "用法" in chinese
    options = ("--huggingface-token", "--offline-bundle", "--dry-run", "--no-systemd", "--uninstall", "--version")
    for option in options:
        assert option in english
        assert option in chinese


@pytest.mark.parametrize("arguments", [["word"], ["--version"], ["--huggingface-token-file", "/nonexistent"]])
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    done = run(*arguments, home=tmp_path)
    assert done.returncode == 2
    assert done.stderr
    assert list(tmp_path.iterdir()) == []


def test_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    wheel = tmp_path / "aimindserve-9.9.9-py3-none-any.whl"
    wheel.write_bytes(b"never opened")
    home = tmp_path / "home"
    home.mkdir()
    done = run("--dry-run", "--no-systemd", f"--wheel={wheel}", "--port", "0", home=home)
    assert done.returncode == 0, done.stderr
    for told in ("9.9.9", f"{home}/.local/lib/aimindserve", f"{home}/.config/aimindserve/config.yaml", "0700"):
        assert told in done.stdout
    assert list(home.iterdir()) == []


TOOLS = """
awk cat chmod cut date dd df dirname env find flock getconf grep head id ln ls mkdir mktemp mv readlink rm sed
sha256sum sh sort stat tail tr uname
"""


def without_python(folder: Path) -> Path:
    """A folder of programs in which there is no Python, but a uv that brings this one."""
    for tool in TOOLS.split():
        (folder / tool).symlink_to(str(shutil.which(tool)))
    uv = folder / "uv"
    uv.write_text(
        '#!/bin/sh\n[ "$1 $2 $3" = "python install --install-dir" ] || exit 1\n'
        f'mkdir -p "$4/cpython-3.12/bin" && ln -s {sys.executable} "$4/cpython-3.12/bin/python3"\n'
    )
    uv.chmod(0o755)
    return folder


def test_a_machine_without_python_gets_one_from_uv(tmp_path: Path) -> None:
    home, tools = tmp_path / "home", tmp_path / "tools"
    for folder in (home, tools):
        folder.mkdir()
    wheel = tmp_path / "aimindserve-9.9.9-py3-none-any.whl"
    wheel.write_bytes(b"no wheel")
    given = ("--no-systemd", f"--wheel={wheel}", "--host=127.0.0.1", "--port=0")
    dry = run("--dry-run", *given, home=home, PATH=str(without_python(tools)))
    assert dry.returncode == 0, dry.stderr
    assert "uv would bring one" in dry.stdout
    assert list(home.iterdir()) == []
    done = run(*given, home=home, PATH=str(tools))
    assert done.returncode == 1
    assert (home / ".local/lib/aimindserve/python/cpython-3.12/bin/python3").exists(), done.stderr
    assert "is no whole wheel" in done.stderr


def test_a_damaged_bundle_is_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "aimindserve-9.9.9-py3-none-any.whl").write_bytes(b"x")
    (bundle / "SHA256SUMS").write_text(f"{'0' * 64}  aimindserve-9.9.9-py3-none-any.whl\n")
    done = run("--dry-run", "--no-systemd", "--offline-bundle", str(bundle), "--port", "0", home=tmp_path)
    assert done.returncode == 1
    assert "checksums do not agree" in done.stderr


def test_nothing_to_remove_is_said(tmp_path: Path) -> None:
    done = run("--uninstall", "--yes", home=tmp_path, LANG="zh_CN.UTF-8")
    assert done.returncode == 1
    assert "没有安装" in done.stderr
