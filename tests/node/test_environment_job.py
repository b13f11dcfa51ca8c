"""Making environments of engines: from an index, from a folder, again after a kill, and what is refused."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from tests.arch.project import ROOT
from tests.support.wheels import library, make_recipe

from aimindserve.domain.environments import EnvironmentState
from aimindserve.domain.reasons import ReasonCode
from aimindserve.node import environment_job, wheels
from aimindserve.node.environment_job import EnvironmentJob, EnvironmentNews, make_environment, read_marker
from aimindserve.node.recipes import partial_of, place_of
from aimindserve.node.wheels import MakingError


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, and nothing else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "index"


def test_an_environment_from_an_index(tmp_path: Path, index: Path) -> None:
    recipe, engines = make_recipe(index), tmp_path / "engines"
    told: list[EnvironmentNews] = []
    place = make_environment(EnvironmentJob(engines=str(engines), recipe=recipe), told.append)
    assert place == engines / "vllm" / "9.9.9-cpu"
    run = subprocess.run([place / "bin" / "vllm"], capture_output=True, text=True, check=True)
    assert run.stdout == "it runs\n"
    marker = read_marker(place)
    assert marker is not None
    assert marker.digest == recipe.digest
    assert marker.size > 1000
    assert "bad" not in (library(place) / "needed.py").read_text(), "repaired"
    assert (library(place) / "vllm-9.9.9+cpu.dist-info" / "METADATA").exists(), "named"
    stages = [news.state for news in told]
    wanted = [EnvironmentState.FETCHING, EnvironmentState.INSTALLING, EnvironmentState.CHECKING]
    assert [stage for at, stage in enumerate(stages) if at == 0 or stages[at - 1] is not stage] == wanted
    assert max(news.done for news in told) == recipe.size
    assert any(news.line and "it cannot be imported" in news.line for news in told), "the log tells of repairs"
    assert list((engines / ".wheels").iterdir()) == [], "wheels go once they are installed"
    assert not partial_of(engines, recipe).exists()


def test_a_second_time_changes_nothing(tmp_path: Path, index: Path) -> None:
    job = EnvironmentJob(engines=str(tmp_path / "engines"), recipe=make_recipe(index))
    inode = make_environment(job).stat().st_ino
    told: list[EnvironmentNews] = []
    assert make_environment(job, told.append).stat().st_ino == inode
    assert told == []


def test_from_a_folder_without_an_index(tmp_path: Path, index: Path) -> None:
    recipe = make_recipe(tmp_path / "usb")
    job = EnvironmentJob(engines=str(tmp_path / "engines"), recipe=recipe, brought=str(tmp_path / "usb"))
    assert (make_environment(job) / "bin" / "vllm").exists()
    assert len(list((tmp_path / "usb").iterdir())) == 2, "what was brought stays"


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_folder_that_lacks_something(tmp_path: Path, index: Path, damage: str) -> None:
    recipe = make_recipe(tmp_path / "usb")
    file = tmp_path / "usb" / recipe.wheels[1].name
    file.unlink() if damage == "missing" else file.write_bytes(bytes(recipe.wheels[1].size))
    job = EnvironmentJob(engines=str(tmp_path / "engines"), recipe=recipe, brought=str(tmp_path / "usb"))
    with pytest.raises(MakingError) as refused:
        make_environment(job)
    code = ReasonCode.WHEEL_MISSING if damage == "missing" else ReasonCode.WHEEL_DAMAGED
    assert (refused.value.why.code, refused.value.why.params["file"]) == (code, file.name)
    assert not place_of(tmp_path / "engines", recipe).exists()


def test_an_index_with_other_content_is_refused(tmp_path: Path, index: Path) -> None:
    recipe = make_recipe(index)
    make_recipe(index, code="def main():\n    print('somebody else')\n")
    with pytest.raises(MakingError) as refused:
        make_environment(EnvironmentJob(engines=str(tmp_path / "engines"), recipe=recipe))
    assert refused.value.why.code is ReasonCode.WHEELS_NOT_FETCHED
    assert "HASHES" in str(refused.value.why.params["detail"])


def test_what_has_arrived_is_not_fetched_again(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the first try ended in the middle, and a file lies there cut."""
    monkeypatch.setattr(wheels, "_LOT_FILES", 1)
    recipe, engines = make_recipe(index), tmp_path / "engines"
    first, second = sorted(recipe.wheels, key=lambda wheel: wheel.size)
    whole = (index / second.name).read_bytes()
    (index / second.name).unlink()
    job = EnvironmentJob(engines=str(engines), recipe=recipe)
    with pytest.raises(MakingError):
        make_environment(job)
    assert [path.name for path in (engines / ".wheels").iterdir()] == [first.name]
    (engines / ".wheels" / second.name).write_bytes(whole[:50])
    (index / first.name).unlink()
    (index / second.name).write_bytes(whole)
    assert (make_environment(job) / "bin" / "vllm").exists()


def test_a_program_that_does_not_start_gets_no_place(tmp_path: Path, index: Path) -> None:
    recipe = make_recipe(index, code="import no_such_library\n")
    with pytest.raises(MakingError) as refused:
        make_environment(EnvironmentJob(engines=str(tmp_path / "engines"), recipe=recipe))
    assert refused.value.why.code is ReasonCode.ENVIRONMENT_BROKEN
    assert "no_such_library" in str(refused.value.why.params["detail"])
    assert not place_of(tmp_path / "engines", recipe).exists()


def test_half_of_one_is_made_anew(tmp_path: Path, index: Path) -> None:
    recipe, engines = make_recipe(index), tmp_path / "engines"
    for left in (partial_of(engines, recipe), place_of(engines, recipe)):
        (left / "bin").mkdir(parents=True)
        (left / "bin" / "vllm").write_text("half")
    place = make_environment(EnvironmentJob(engines=str(engines), recipe=recipe))
    assert read_marker(place) is not None
    assert (place / "bin" / "vllm").read_text() != "half"


def test_without_room_nothing_is_begun(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_job, "_MARGIN", 1 << 60)
    with pytest.raises(MakingError) as refused:
        make_environment(EnvironmentJob(engines=str(tmp_path / "engines"), recipe=make_recipe(index)))
    assert refused.value.why.code is ReasonCode.DOWNLOAD_NO_SPACE
    assert not (tmp_path / "engines" / ".wheels").exists()


def test_a_python_without_pip_runs_the_one_that_it_was_shipped_with(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an environment that install.sh made."""
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    job = EnvironmentJob(engines=str(tmp_path / "engines"), recipe=make_recipe(index))
    libraries = os.pathsep.join(path for path in sys.path if path and "-packages" not in path and "zip" not in path)
    ours = tmp_path / "ours"
    ours.mkdir()
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not path.name.startswith("pip"):
            (ours / path.name).symlink_to(path)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ours), libraries])}
    done = subprocess.run(
        [bare / "bin" / "python", "-m", "aimindserve.node.environment_job"],
        input=job.model_dump_json() + "\n", env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert read_marker(place_of(tmp_path / "engines", job.recipe)) is not None
