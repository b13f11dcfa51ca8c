"""The release: complete, the same bytes each time, and enough to run in an empty environment."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from scripts.sbom import make_sbom, read_lock
from tests.arch.project import ROOT
from tests.e2e.product import PATIENCE, Product

LARGEST_CORE_MIB = 120  # 114 with Pillow (20) and hf-xet (11); files of the packages, without bytecode


def test_two_builds_are_the_same_bytes(release: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_dist.py", "--target", tmp_path / "again"], check=True, umask=0o077
    )
    names = sorted(path.name for path in (tmp_path / "again").iterdir() if path.name != "SHA256SUMS")
    assert len(names) == 5
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (release / name).read_bytes(), name


def test_the_checksums_cover_every_file(release: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=release, check=True)
    listed = {line.split("  ", 1)[1] for line in (release / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(release)) for path in release.rglob("*") if path.is_file()}
    assert listed == there - {"SHA256SUMS"}


def test_the_wheel_carries_page_installer_lock_and_parts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert archive.read("aimindserve/install/install.sh") == (ROOT / "install.sh").read_bytes()
        assert archive.read("aimindserve/install/requirements.txt") == (ROOT / "requirements/runtime.txt").read_bytes()
        parts = next(name for name in names if name.endswith(".dist-info/sboms/aimindserve.cdx.json"))
        assert json.loads(archive.read(parts))["bomFormat"] == "CycloneDX"
    assert "aimindserve/ui_dist/index.html" in names
    assert any(name.startswith("aimindserve/ui_dist/assets/") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_sdist_carries_the_page_so_that_nobody_needs_node(release: Path) -> None:
    with tarfile.open(next(release.glob("*.tar.gz"))) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert {"src/aimindserve/ui_dist/index.html", "install.sh", "requirements/runtime.txt"} <= set(names)
    assert not [name for name in names if name.startswith((".cache", ".demo", "ui/node_modules"))]


def test_the_list_of_parts_is_the_lock() -> None:
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    sbom = make_sbom(lock, json.loads((ROOT / "ui" / "package-lock.json").read_text()), "1.2.3")
    pinned = {f"pkg:pypi/{line.split('==')[0]}" for line in lock.splitlines() if "==" in line and line[0].isalnum()}
    parts = sbom["components"]
    assert {part["purl"].split("@")[0] for part in parts if part["purl"].startswith("pkg:pypi/")} == pinned
    assert any(part["name"] == "react" for part in parts)
    assert not any(part["name"] == "vitest" for part in parts)
    refs = {part["bom-ref"] for part in parts} | {sbom["metadata"]["component"]["bom-ref"]}
    assert len(refs) == len(parts) + 1
    for entry in sbom["dependencies"]:
        assert {entry["ref"], *entry["dependsOn"]} <= refs
    needed = next(entry for entry in sbom["dependencies"] if entry["ref"] == "pkg:pypi/aimindserve@1.2.3")["dependsOn"]
    assert any(ref.startswith("pkg:pypi/fastapi@") for ref in needed)


def test_every_locked_package_has_hashes() -> None:
    packages = read_lock((ROOT / "requirements" / "runtime.txt").read_text())
    assert len(packages) > 40
    assert [package.name for package in packages if not package.hashes or not package.via] == []


@pytest.fixture(scope="module")
def core(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with only what the wheel declares, from the wheel folder and without an index."""
    folder = tmp_path_factory.mktemp("core") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = next((release / "wheels").glob("pip-*.whl"))
    install = ["-m", "pip", "install", "-q", "--no-compile", "--no-index", "--find-links", release / "wheels"]
    environment = os.environ | {"PYTHONPATH": str(pip)}
    own = next(release.glob("*.whl"))
    subprocess.run([folder / "bin" / "python", *install, own], check=True, env=environment)
    return folder


def test_the_core_is_small(core: Path) -> None:
    blocks = sum(os.lstat(path).st_blocks for path in core.rglob("*") if "__pycache__" not in path.parts)
    assert blocks * 512 / 2**20 <= LARGEST_CORE_MIB


def test_the_core_starts_and_lets_a_person_in(core: Path, tmp_path: Path) -> None:
    product = Product(tmp_path / "data")
    command = [core / "bin" / "aimindserve", "start", "--host", "127.0.0.1", "--port", str(product.port)]
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    with product.log.open("wb") as log:
        process = subprocess.Popen([*command, "--data-dir", product.data], env=bare, stdout=log, stderr=log)
    try:
        product.process = process
        product.wait_ready()
        with closing(product.login()) as person:
            assert person.get("/api/v1/deployments").json()["items"] == []
            assert "<div id=" in person.get("/").text
    finally:
        process.terminate()
        process.wait(PATIENCE)
