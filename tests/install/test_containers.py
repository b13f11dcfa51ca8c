"""The container files as far as they can be checked without a container engine. ``test_soak.py`` runs their steps."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.arch.project import ROOT, project_files, short
from tests.install.dockerfile import Stage, read_dockerfile

from aimindserve.server.settings import Settings

HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    return read_dockerfile((ROOT / "Dockerfile").read_text())


def compose(*files: str) -> dict[str, Any]:
    """The one service of these compose files, later ones over earlier ones as far as ours need it."""
    merged: dict[str, Any] = {}
    for file in files:
        service = yaml.safe_load((ROOT / file).read_text())["services"]["aimindserve"]
        if isinstance(merged.get("build"), str):
            merged["build"] = {"context": merged["build"]}
        build = {**(merged.get("build") or {}), **service["build"]} if merged else service["build"]
        merged = {**merged, **service, "build": build}
    return merged


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([HADOLINT, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_runs_as_a_user_of_its_own_behind_an_init(stages: list[Stage]) -> None:
    final = stages[-1]
    assert [one.text for one in final.all("USER")] == ["10001:10001"]
    assert final.all("ENTRYPOINT")[0].words == ["/usr/bin/tini", "--", "aimindserve"]
    assert final.all("VOLUME")[0].words == ["/var/lib/aimindserve"]
    assert final.all("HEALTHCHECK")
    names = [one.name for one in final.instructions]
    assert names.index("USER") < names.index("VOLUME"), "the volume gets the owner of the folder"
    assert not [one for stage in stages for one in stage.instructions if "TOKEN" in one.text or "PASSWORD" in one.text]


def test_every_package_comes_by_hash(stages: list[Stage]) -> None:
    for stage in stages:
        for run in stage.all("RUN"):
            for command in run.text.split("&&"):
                if "pip install" in command:
                    assert "--require-hashes" in command or "--no-index" in command


def test_what_is_copied_is_there_and_not_ignored(stages: list[Stage]) -> None:
    allowed = (ROOT / ".dockerignore").read_text()
    tracked = {short(path) for path in project_files()}
    for stage in stages:
        for copy in stage.all("COPY"):
            words = [word for word in copy.words if not word.startswith("--")]
            for source in words[:-1] if "--from=" not in copy.text else []:
                assert any(name == source or name.startswith(f"{source}/") for name in tracked), source
                top = source.split("/")[0]
                assert f"!{top}" in allowed, source


def test_settings_in_the_image_are_settings(stages: list[Stage]) -> None:
    names = {word.partition("=")[0] for env in stages[-1].all("ENV") for word in env.words}
    ours = {name.removeprefix("AIMINDSERVE_").lower() for name in names if name.startswith("AIMINDSERVE_")}
    assert ours == {"data_dir", "port"}
    assert ours <= set(Settings.model_fields)


def test_compose_gives_little_away() -> None:
    service = compose("compose.yaml")
    assert "privileged" not in service
    assert not [mount for mount in service["volumes"] if "docker.sock" in mount]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "network_mode" not in service
    ours = [name for name in service["environment"] if name.startswith("AIMINDSERVE_")]
    assert {name.removeprefix("AIMINDSERVE_").lower() for name in ours} <= set(Settings.model_fields)
    options = [word.removeprefix("--").replace("-", "_") for word in service["command"] if word.startswith("--")]
    assert set(options) <= set(Settings.model_fields)
    assert not [name for name in service["environment"] if "TOKEN" in name]
    declared = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert set(service["secrets"]) == set(declared["secrets"])
    assert service["volumes"][0].split(":")[0] in declared["volumes"]


def test_compose_reserves_the_gpus() -> None:
    service = compose("compose.yaml", "compose.cuda.yaml")
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    assert service["build"] == {"context": ".", "args": {"BASE": "nvidia/cuda:12.9.1-base-ubuntu24.04"}}
    assert service["image"] == "aimindserve:cuda"
    assert service["read_only"] is True
