"""Bundles: models and engines from one machine to another, and what is refused on the way."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from tests.support.wheels import make_recipe, make_wheel

from aimindserve.domain.archives import BundleManifest, Entry
from aimindserve.domain.facts import FileRole, HubOrigin, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.reasons import ReasonCode
from aimindserve.node.archive import ArchiveError, entry_of, pack
from aimindserve.node.bundle import (
    load_bundle,
    make_bundle,
    named_engines,
    read_bundle,
    stored_models,
    this_platform,
    this_python,
)
from aimindserve.node.store import Store

SOURCE = "hf://org/repo"


def content(name: str) -> bytes:
    return name.encode() * 1000


def model(*names: str, revision: str = "f" * 40) -> ModelFacts:
    """Files with the two kinds of checksum that hubs give, and none."""
    files = []
    for name in names:
        data = content(name)
        git = hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
        digest = {"config": f"git:{git}", "notes": None}.get(name, f"sha256:{hashlib.sha256(data).hexdigest()}")
        files.append(ModelFile(path=f"{name}.bin", role=FileRole.WEIGHTS, size=len(data), digest=digest))
    origin = HubOrigin(hub="hf", repository="org/repo", revision=revision)
    return ModelFacts(format=ModelFormat.GGUF, architecture="llama", name="m", files=tuple(files), origin=origin)


def store_with(folder: Path, facts: ModelFacts, borrowed: dict[str, str] | None = None) -> Store:
    store = Store(folder / "models")
    store.prepare()
    assert facts.origin is not None
    for file in facts.files:
        if file.path not in (borrowed or {}):
            store.blob(facts.origin, file).write_bytes(content(file.path.removesuffix(".bin")))
    store.publish(SOURCE, facts, borrowed or {}, 1.0)
    return store


def test_a_model_travels(tmp_path: Path) -> None:
    facts = model("weights", "config", "notes")
    here = store_with(tmp_path / "here", facts)
    made = make_bundle(tmp_path / "b.tar", here, stored_models(here, [SOURCE]), (), None, "1")
    assert [one.source for one in made.models] == [SOURCE]
    manifest, wheels = load_bundle(tmp_path / "b.tar", tmp_path / "there")
    assert (manifest, wheels) == (made, None)
    there = Store(tmp_path / "there" / "models")
    assert there.is_ready(facts)
    assert [Path(file.path).read_bytes() for file in there.located(facts).files] == [
        content(name) for name in ("weights", "config", "notes")
    ]
    assert list((tmp_path / "there" / "models").glob(".bundle-*")) == []
    load_bundle(tmp_path / "b.tar", tmp_path / "there")  # once more changes nothing
    assert there.is_ready(facts)


def test_borrowed_files_are_taken_along(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(content("weights"))
    facts = model("weights")
    here = store_with(tmp_path / "here", facts, {"weights.bin": str(tmp_path / "cache")})
    make_bundle(tmp_path / "b.tar", here, stored_models(here, [SOURCE]), (), None, "1")
    (tmp_path / "cache").unlink()
    load_bundle(tmp_path / "b.tar", tmp_path / "there")
    assert Store(tmp_path / "there" / "models").is_ready(facts)


def test_what_is_not_stored_is_named(tmp_path: Path) -> None:
    here = store_with(tmp_path / "here", model("weights"))
    for source in ("hf://org/other", "nonsense", f"{SOURCE}@{'0' * 40}"):
        with pytest.raises(ArchiveError) as refused:
            stored_models(here, [source])
        assert refused.value.why.code in {ReasonCode.BUNDLE_MODEL_MISSING, ReasonCode.SOURCE_INVALID}


def test_rotten_content_is_not_packed(tmp_path: Path) -> None:
    facts = model("weights")
    here = store_with(tmp_path / "here", facts)
    assert facts.origin is not None
    here.blob(facts.origin, facts.files[0]).write_bytes(bytes(len(content("weights"))))
    with pytest.raises(ArchiveError) as refused:
        make_bundle(tmp_path / "b.tar", here, stored_models(here, [SOURCE]), (), None, "1")
    assert refused.value.why.code == ReasonCode.FILE_CHANGED
    assert list(tmp_path.glob("b.tar*")) == []


def test_every_cut_is_refused_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    here = store_with(tmp_path / "here", model("weights", "config"))
    make_bundle(tmp_path / "b.tar", here, stored_models(here, [SOURCE]), (), None, "1")
    whole = (tmp_path / "b.tar").read_bytes()
    for at in range(0, len(whole), len(whole) // 16):
        (tmp_path / "cut.tar").write_bytes(whole[:at])
        with pytest.raises(ArchiveError) as refused:
            load_bundle(tmp_path / "cut.tar", tmp_path / "there")
        assert refused.value.why.code in {ReasonCode.ARCHIVE_DAMAGED, ReasonCode.ARCHIVE_FOREIGN}
    assert [path for path in (tmp_path / "there").rglob("*") if path.is_file() or path.is_symlink()] == []


def forged(tmp_path: Path, facts: ModelFacts, files: dict[str, bytes]) -> Path:
    """A bundle that somebody made by hand, sound as an archive."""
    paths = {}
    for name, data in files.items():
        paths[name] = tmp_path / "forge" / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_bytes(data)
    manifest = BundleManifest.model_validate(
        {
            "kind": "bundle", "version": "1", "made_at": 1.0, "python": this_python(), "platform": this_platform(),
            "entries": [entry_of(name, path) for name, path in paths.items()],
            "models": [{"source": SOURCE, "facts": facts.model_dump()}],
        }
    )  # fmt: skip
    pack(tmp_path / "forged.tar", manifest, paths, secret=False)
    return tmp_path / "forged.tar"


def blob(file: ModelFile) -> str:
    return f"models/{(file.digest or '').replace(':', '-')}"


@pytest.mark.parametrize("name", ["weights", "config"])
def test_content_under_a_false_name_is_refused(tmp_path: Path, name: str) -> None:
    facts = model(name)
    false = forged(tmp_path, facts, {blob(facts.files[0]): bytes(facts.files[0].size)})
    with pytest.raises(ArchiveError) as refused:
        load_bundle(false, tmp_path / "there")
    assert refused.value.why.code == ReasonCode.ARCHIVE_UNSAFE
    assert not Store(tmp_path / "there" / "models").is_ready(facts)


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil"])
def test_a_file_name_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    good = model("weights")
    facts = good.model_copy(update={"files": (good.files[0].model_copy(update={"path": path}),)})
    with pytest.raises(ArchiveError) as refused:
        read_bundle(forged(tmp_path, facts, {blob(good.files[0]): content("weights")}))
    assert refused.value.why.code == ReasonCode.ARCHIVE_UNSAFE


def test_a_model_without_its_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as refused:
        read_bundle(forged(tmp_path, model("weights", "config"), {"models/x": b""}))
    assert refused.value.why.code == ReasonCode.ARCHIVE_DAMAGED


def test_an_engine_travels_as_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_recipe(tmp_path / "index")
    make_wheel(tmp_path / "own", "aimindserve", "0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    store = Store(tmp_path / "models")
    engines = named_engines(["vllm==9.9.9+cpu"], lambda *_: recipe)
    made = make_bundle(tmp_path / "b.tar", store, [], engines, tmp_path / "own", "1")
    assert [entry.name for entry in made.entries] == [
        "engines/vllm/9.9.9-cpu/needed-1.0-py3-none-any.whl",
        "engines/vllm/9.9.9-cpu/vllm-9.9.9-py3-none-any.whl",
        "wheels/aimindserve-0.0.1-py3-none-any.whl",
    ]
    monkeypatch.delenv("PIP_FIND_LINKS")
    _, wheels = load_bundle(tmp_path / "b.tar", tmp_path / "there")
    program = tmp_path / "there" / "engines" / "vllm" / "9.9.9-cpu" / "bin" / "vllm"
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "it runs\n"
    assert wheels is not None
    assert [path.name for path in wheels.iterdir()] == ["aimindserve-0.0.1-py3-none-any.whl"]
    inode = program.stat().st_ino
    load_bundle(tmp_path / "b.tar", tmp_path / "there")
    assert program.stat().st_ino == inode


def test_an_engine_that_cannot_be_fetched_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_recipe(tmp_path / "elsewhere")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "here").mkdir()
    with pytest.raises(ArchiveError) as refused:
        make_bundle(tmp_path / "here" / "b.tar", Store(tmp_path), [], (recipe,), None, "1")
    assert refused.value.why.code == ReasonCode.WHEELS_NOT_FETCHED
    assert "needed" in str(refused.value.why.params["detail"])
    assert list((tmp_path / "here").iterdir()) == []


def test_engines_of_another_machine_are_refused_and_models_alone_taken(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path / "wheels").model_copy(update={"python": "3.2"})
    manifest = BundleManifest(
        kind="bundle", version="1", made_at=1.0, python="3.2", platform=this_platform(), engines=(recipe,)
    )
    pack(tmp_path / "b.tar", manifest, {}, secret=False)
    with pytest.raises(ArchiveError) as refused:
        load_bundle(tmp_path / "b.tar", tmp_path / "there")
    assert refused.value.why.code == ReasonCode.BUNDLE_PYTHON_DIFFERS
    load_bundle(tmp_path / "b.tar", tmp_path / "there", engines=False)


@pytest.mark.parametrize("name", ["vllm", "vllm>=1", "evil=1.0", "vllm==../x", "--index==1", "vllm==1 --pre"])
def test_names_that_are_no_engine(name: str) -> None:
    with pytest.raises(ArchiveError) as refused:
        named_engines([name])
    assert refused.value.why.code == ReasonCode.BUNDLE_ENGINE_UNKNOWN


def test_engines_without_a_recipe_are_refused() -> None:
    with pytest.raises(ArchiveError) as refused:
        named_engines(["evil==1.0"])
    assert refused.value.why.code == ReasonCode.ENVIRONMENT_UNKNOWN


def test_an_empty_bundle_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as refused:
        make_bundle(tmp_path / "b.tar", Store(tmp_path), [], (), None, "1")
    assert refused.value.why.code == ReasonCode.BUNDLE_EMPTY


def test_a_list_is_json_that_others_can_read(tmp_path: Path) -> None:
    entry = Entry(name="x", size=1, sha256="0" * 64)
    assert json.loads(entry.model_dump_json()) == {"name": "x", "size": 1, "sha256": "0" * 64}
