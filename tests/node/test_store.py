"""The store of model files: shared content, names that cannot lead out of it, deletion that touches nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.facts import FileRole, HubOrigin, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.files import blob_name, model_key, unsafe_name
from aimindserve.node.store import Store

DIGESTS = {"a": "sha256:" + "1" * 64, "b": "sha256:" + "2" * 64, "c": "git:" + "3" * 40}


def facts(*names: str, repository: str = "org/repo", digest: str | None = "") -> ModelFacts:
    files = tuple(
        ModelFile(
            path=f"{name}.gguf",
            role=FileRole.WEIGHTS,
            size=10,
            digest=DIGESTS[name] if digest == "" else digest,
        )
        for name in names
    )
    return of_files(files, repository)


def of_files(files: tuple[ModelFile, ...], repository: str = "org/repo", revision: str = "f" * 40) -> ModelFacts:
    origin = HubOrigin(hub="hf", repository=repository, revision=revision)
    return ModelFacts(format=ModelFormat.GGUF, architecture="llama", name="m", files=files, origin=origin)


def fill(store: Store, model: ModelFacts) -> None:
    """As a finished download leaves it."""
    assert model.origin is not None
    for file in model.files:
        store.blob(model.origin, file).write_bytes(bytes(file.size))
    store.publish("hf://org/repo", model, {}, 1.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "models")
    made.prepare()
    return made


def test_a_model_is_found_under_its_own_names(store: Store) -> None:
    model = facts("a", "b")
    assert not store.is_ready(model)
    assert len(store.missing(model)) == 2
    fill(store, model)
    assert store.is_ready(model)
    located = store.located(model)
    assert [Path(file.path).name for file in located.files] == ["a.gguf", "b.gguf"]
    assert all(Path(file.path).is_absolute() and Path(file.path).stat().st_size == 10 for file in located.files)
    assert store.all().keys() == {model_key(model)}


def test_what_two_models_share_stays_until_the_last_goes(store: Store) -> None:
    first, second = facts("a", "b"), facts("b", "c", repository="org/other")
    fill(store, first)
    fill(store, second)
    assert store.freed_by(model_key(first)) == 10
    store.forget(model_key(first))
    assert store.is_ready(second)
    assert {path.name for path in store.blobs.iterdir()} == {DIGESTS[name].replace(":", "-") for name in "bc"}
    assert not (store.snapshots / "hf" / "org" / "repo").exists()
    store.forget(model_key(second))
    assert not list(store.blobs.iterdir())
    assert not list(store.snapshots.iterdir())


def test_two_selections_of_one_repository(store: Store) -> None:
    first, second = facts("a", "b"), facts("b")
    fill(store, first)
    fill(store, second)
    store.forget(model_key(first))
    assert store.is_ready(second)


def test_deleting_follows_no_link_out_of_the_store(store: Store, tmp_path: Path) -> None:
    model = facts("a")
    fill(store, model)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.gguf").write_text("mine")
    folder = store.folder(model.origin)  # type: ignore[arg-type]
    (folder / "a.gguf").unlink()
    folder.rmdir()
    folder.symlink_to(outside)
    store.forget(model_key(model))
    assert (outside / "a.gguf").read_text() == "mine"


def test_publishing_follows_no_link_out_of_the_store(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (store.snapshots / "hf").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        fill(store, facts("a"))
    assert not list(outside.iterdir())


def test_a_store_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "blobs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        Store(tmp_path / "models").prepare()


def test_a_file_that_was_cut_is_not_ready(store: Store) -> None:
    model = facts("a")
    fill(store, model)
    Path(store.located(model).files[0].path).write_bytes(b"")
    assert not store.is_ready(model)


def test_an_empty_file_has_to_be_there(store: Store) -> None:
    empty = of_files((ModelFile(path="a.json", role=FileRole.CONFIG, size=0, digest=DIGESTS["a"]),))
    assert len(store.missing(empty)) == 1


def test_a_file_without_a_digest_belongs_to_its_commit(store: Store) -> None:
    first, second = facts("a", digest=None), facts("a", digest=None, repository="org/other")
    assert first.origin is not None
    assert second.origin is not None
    assert blob_name(first.origin, first.files[0]) != blob_name(second.origin, second.files[0])


UNSAFE = [
    *("", ".", "..", "/etc/passwd", "../x", "a/../b", "a//b", "a/./b", "a\\b", "C:x", "a\x00b", "a\nb", "x" * 300),
    *("a/" * 300 + "b", "a/", "\u202ex"),
]


@pytest.mark.parametrize("path", UNSAFE)
def test_unsafe_names_are_found(path: str) -> None:
    assert unsafe_name(of_files((ModelFile(path=path, role=FileRole.WEIGHTS, size=1, digest=None),))) is not None


@pytest.mark.parametrize(
    ("repository", "revision"),
    [("org", "f"), ("../x/y", "f"), ("org/..", "f"), ("org/repo", ".."), ("org/repo", "a/b"), ("org/repo", "")],
)
def test_unsafe_origins_are_found(repository: str, revision: str) -> None:
    assert unsafe_name(of_files((), repository, revision)) is not None


def test_a_digest_is_no_path() -> None:
    file = ModelFile(path="a", role=FileRole.WEIGHTS, size=1, digest="sha256:../../x")
    assert unsafe_name(of_files((file,))) is not None


@given(st.text(max_size=80))
def test_a_safe_name_stays_inside(path: str) -> None:
    model = of_files((ModelFile(path=path, role=FileRole.WEIGHTS, size=1, digest=None),))
    if unsafe_name(model) is None:
        store = Store(Path("/nowhere/models"))
        place = Path(store.located(model).files[0].path)
        assert store.snapshots in place.parents
        assert ".." not in place.parts
