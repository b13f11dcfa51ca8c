"""Archives: what was packed comes out; whatever else somebody makes of one is refused before it does anything."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.archives import BackupManifest, BundleManifest, Entry, unsafe_member
from aimindserve.domain.reasons import ReasonCode
from aimindserve.node.archive import ArchiveError, entry_of, pack, read_manifest, unpack

LONG = "wheels/" + "w" * 90 + ".whl"


def manifest_of(*entries: Entry, **more: object) -> BundleManifest:
    known = {"kind": "bundle", "version": "1", "made_at": 1.0, "python": "3.11", "platform": "linux-x86_64"}
    return BundleManifest.model_validate({**known, "entries": entries, **more})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {}
    for name, content in {"a": b"", "models/b": b"x" * 513, LONG: b"y" * 512, "d": b"z" * 3_000_000}.items():
        made[name] = tmp_path / "from" / name
        made[name].parent.mkdir(parents=True, exist_ok=True)
        made[name].write_bytes(content)
    return made


def packed(tmp_path: Path, files: dict[str, Path], *, secret: bool = False) -> Path:
    target = tmp_path / "archive"
    pack(target, manifest_of(*(entry_of(name, path) for name, path in files.items())), files, secret=secret)
    return target


def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("secret", [True, False])
def test_what_goes_in_comes_out(tmp_path: Path, files: dict[str, Path], secret: bool) -> None:
    target = packed(tmp_path, files, secret=secret)
    folder = out(tmp_path)
    unpack(target, BundleManifest, folder)
    for name, path in files.items():
        assert (folder / name).read_bytes() == path.read_bytes()
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as archive:  # any tar can read it
        assert archive.getnames() == ["manifest.json", *files]
    assert (target.stat().st_mode & 0o077 == 0) == secret


def test_a_file_that_changes_meanwhile_is_not_packed(tmp_path: Path, files: dict[str, Path]) -> None:
    manifest = manifest_of(*(entry_of(name, path) for name, path in files.items()))
    files["models/b"].write_bytes(b"x" * 512 + b"!")
    with pytest.raises(ArchiveError) as refused:
        pack(tmp_path / "archive", manifest, files, secret=False)
    assert refused.value.why.code == ReasonCode.FILE_CHANGED
    assert not (tmp_path / "archive").exists()


Change = Callable[[tarfile.TarFile], None]


def member(name: str, content: bytes = b"", **more: object) -> Change:
    """Add a member that the list does not know, or knows otherwise."""

    def add(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for key, value in more.items():
            setattr(info, key, value)
        archive.addfile(info, io.BytesIO(content) if content else None)

    return add


def crafted(path: Path, listed: BundleManifest, *changes: Change) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        member("manifest.json", listed.model_dump_json().encode())(archive)
        for change in changes:
            change(archive)
    return path


NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
X = Entry(name="x", size=0, sha256=NOTHING)


@pytest.mark.parametrize(
    ("entries", "changes", "code"),
    [
        ((X,), (), "archive_damaged"),
        ((), (member("../evil"),), "archive_unsafe"),
        ((), (member("extra"),), "archive_unsafe"),
        ((X,), (member("x", type=tarfile.SYMTYPE, linkname="/etc/passwd"),), "archive_unsafe"),
        ((X,), (member("x", type=tarfile.LNKTYPE, linkname="manifest.json"),), "archive_unsafe"),
        ((X,), (member("x", type=tarfile.DIRTYPE),), "archive_unsafe"),
        ((X,), (member("x", type=tarfile.FIFOTYPE),), "archive_unsafe"),
        ((X,), (member("x", type=tarfile.CHRTYPE),), "archive_unsafe"),
        ((X,), (member("x", type=tarfile.GNUTYPE_SPARSE),), "archive_unsafe"),
        ((X,), (member("x", pax_headers={"path": "../evil"}),), "archive_unsafe"),
        ((X,), (member("x", b"more"),), "archive_unsafe"),
        ((X, Entry(name="y", size=0, sha256=NOTHING)), (member("y"), member("x")), "archive_unsafe"),
        ((Entry(name="x", size=1, sha256=NOTHING),), (member("x", b"!"),), "archive_damaged"),
        ((X, X), (member("x"), member("x")), "archive_unsafe"),
        ((Entry(name="../x", size=0, sha256=NOTHING),), (member("../x"),), "archive_unsafe"),
        ((Entry(name="/x", size=0, sha256=NOTHING),), (member("/x"),), "archive_unsafe"),
        ((Entry(name="a/./x", size=0, sha256=NOTHING),), (member("a/./x"),), "archive_unsafe"),
        ((Entry(name="manifest.json", size=0, sha256=NOTHING),), (member("manifest.json"),), "archive_unsafe"),
    ],
)
def test_what_should_not_be_there_is_refused(
    tmp_path: Path, entries: tuple[Entry, ...], changes: tuple[Change, ...], code: str
) -> None:
    archive = crafted(tmp_path / "crafted", manifest_of(*entries), *changes)
    folder = out(tmp_path)
    with pytest.raises(ArchiveError) as refused:
        unpack(archive, BundleManifest, folder)
    assert refused.value.why.code == code
    assert not (tmp_path / "evil").exists()
    assert all(path.is_file() and not path.is_symlink() for path in folder.rglob("*"))


def test_another_kind_and_a_newer_form_are_told_apart(tmp_path: Path, files: dict[str, Path]) -> None:
    with pytest.raises(ArchiveError) as refused:
        read_manifest(packed(tmp_path, files), BackupManifest)
    assert refused.value.why.code == ReasonCode.ARCHIVE_FOREIGN
    newer = crafted(tmp_path / "newer", manifest_of(format=2, version="9.0"))
    with pytest.raises(ArchiveError) as refused:
        read_manifest(newer, BundleManifest)
    assert refused.value.why == refused.value.why.model_copy(
        update={"code": ReasonCode.ARCHIVE_NEWER, "params": {"path": str(newer), "version": "9.0"}}
    )


@given(st.binary(max_size=3000))
def test_noise_is_refused_and_never_crashes(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    place = tmp_path_factory.getbasetemp() / "noise"
    for head in (b"", b"\x1f\x8b\x08"):
        place.write_bytes(head + noise)
        with pytest.raises(ArchiveError):
            read_manifest(place, BundleManifest)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/../b", "/a", "a//b", "a/", "a\\b", "a\nb", "é" * 51, "a" * 101, "a/" * 120 + "a"]
)
def test_names_that_are_no_paths_of_ours(name: str) -> None:
    assert unsafe_member(name)


@pytest.mark.parametrize("name", ["a", "keys/pepper", "a.b-c_d/e", "描述", LONG, "a" * 100])
def test_names_that_are(name: str) -> None:
    assert not unsafe_member(name)
