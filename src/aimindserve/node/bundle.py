"""Bundles for machines without internet: models out of one store into another, engines as wheels.

Everything blocks. A bundle is looked at as a whole before anything of it reaches the store or the engines' folder."""

import contextlib
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from aimindserve.domain.archives import (
    ENGINES_FOLDER,
    MODELS_FOLDER,
    WHEELS_FOLDER,
    BundledModel,
    BundleManifest,
    Entry,
    bundle_trouble,
)
from aimindserve.domain.environments import NamedEngine, Recipe, Variant
from aimindserve.domain.files import blob_name, comes_from, model_key
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import SourceError, parse_source
from aimindserve.node.archive import ArchiveError, entry_of, pack, read_manifest, unpack
from aimindserve.node.archive import Told as ArchiveTold
from aimindserve.node.environment_job import EnvironmentJob, make_environment
from aimindserve.node.recipes import FindRecipe, find_recipe, interpreter, this_python
from aimindserve.node.store import Manifest, Store
from aimindserve.node.transfer import digest_of
from aimindserve.node.wheels import MakingError, Programs, Told, fetch_wheels

_WORK_PREFIX = ".bundle-"


def this_platform() -> str:
    """The platform that wheels must be made for, such as ``linux-x86_64``."""
    return f"{platform.system().lower()}-{platform.machine()}"


def named_engines(names: Sequence[str], find: FindRecipe = find_recipe) -> tuple[Recipe, ...]:
    """Recipes on this machine of engines written ``name==version`` or ``name==version+variant`` (CUDA without it).

    Raises:
        ArchiveError: one is not written like that, or there is no recipe for it.
    """
    found: list[Recipe] = []
    for name in names:
        named = NamedEngine.read(name)
        if named is None:
            raise ArchiveError(reason(ReasonCode.BUNDLE_ENGINE_UNKNOWN, engine=name))
        recipe = find(named.engine, named.version, named.variant or Variant.CUDA)
        if isinstance(recipe, Reason):
            raise ArchiveError(recipe)
        found.append(recipe)
    return tuple(found)


def stored_models(store: Store, sources: Sequence[str]) -> list[Manifest]:
    """The models of a store that ``sources`` name.

    Raises:
        ArchiveError: one is not there, or not whole.
    """
    known = [one for one in store.all().values() if store.is_ready(one.facts)]
    found: list[Manifest] = []
    for text in sources:
        try:
            source = parse_source(text)
        except SourceError:
            raise ArchiveError(reason(ReasonCode.SOURCE_INVALID, source=text)) from None
        fitting = [one for one in known if one.source == text or comes_from(one.facts, source)]
        if not fitting:
            raise ArchiveError(reason(ReasonCode.BUNDLE_MODEL_MISSING, source=text))
        found += [one for one in fitting if one not in found]
    return found


def make_bundle(
    target: Path,
    store: Store,
    models: Sequence[Manifest],
    engines: Sequence[Recipe],
    wheels: Path | None,
    version: str,
    told: ArchiveTold = lambda _: None,
) -> BundleManifest:
    """Write the bundle ``target``. ``wheels``: a folder whose wheels go along; engines' wheels are fetched by pip.

    Raises:
        ArchiveError: there is nothing to put in, pip fails, or a stored file is damaged.
        OSError: something cannot be read, or the bundle not written; nothing is left of it.
    """
    if not (models or engines or wheels):
        raise ArchiveError(reason(ReasonCode.BUNDLE_EMPTY))
    with tempfile.TemporaryDirectory(prefix=_WORK_PREFIX, dir=target.parent) as folder:
        files = dict(_model_files(store, models))
        for engine in engines:
            files |= _fetched(engine, Path(folder) / engine.key)
        if wheels is not None:
            files |= _wheels(wheels, WHEELS_FOLDER)
        manifest = BundleManifest(
            kind="bundle",
            version=version,
            made_at=time.time(),
            entries=tuple(_entry(name, path, told) for name, path in sorted(files.items())),
            models=tuple(BundledModel(source=one.source, facts=one.facts) for one in models),
            engines=tuple(engines),
            python=this_python(),
            platform=this_platform(),
        )
        fresh = Path(folder) / "bundle"
        pack(fresh, manifest, files, secret=False, told=told)
        fresh.replace(target)
    return manifest


def _model_files(store: Store, models: Sequence[Manifest]) -> Generator[tuple[str, Path]]:
    for model in models:
        origin = model.facts.origin
        if origin is None:
            continue
        for file in model.facts.files:
            yield f"{MODELS_FOLDER}/{blob_name(origin, file)}", store.folder(origin) / file.path


def _entry(name: str, path: Path, told: ArchiveTold) -> Entry:
    """The checksum of stored content is its name: it is computed once, when it is packed."""
    known = re.fullmatch(rf"{MODELS_FOLDER}/sha256-([0-9a-f]{{64}})", name)
    if known is not None:
        return Entry(name=name, size=path.stat().st_size, sha256=known[1])
    return entry_of(name, path, told)


def _wheels(folder: Path, name: str) -> Mapping[str, Path]:
    return {f"{name}/{path.name}": path for path in sorted(folder.glob("*.whl"))}


def _fetched(recipe: Recipe, folder: Path) -> Mapping[str, Path]:
    """The wheels of an engine and of all that it needs, fetched as an installation would."""
    python = interpreter(recipe.python) or sys.executable
    with _as_archive_error():
        fetch_wheels(recipe, folder, None, Programs(python), Told())
    return _wheels(folder, f"{ENGINES_FOLDER}/{recipe.folder}")


@contextmanager
def _as_archive_error() -> Generator[None]:
    try:
        yield
    except MakingError as error:
        raise ArchiveError(error.why) from error


def read_bundle(path: Path) -> BundleManifest:
    """What a bundle says it holds, checked as far as its list goes.

    Raises:
        ArchiveError, OSError: as ``unpack``.
    """
    manifest = read_manifest(path, BundleManifest)
    if (trouble := bundle_trouble(manifest, str(path))) is not None:
        raise ArchiveError(trouble)
    return manifest


def load_bundle(
    path: Path, data: Path, *, engines: bool = True, told: ArchiveTold = lambda _: None
) -> tuple[BundleManifest, Path | None]:
    """Bring a bundle's models into the store of the data folder ``data``, its engines into ``engines``. What is there
    already stays as it is; a server may run meanwhile. Returns the list, and the folder of aiMindServe's own wheels.

    Raises:
        ArchiveError: the bundle is damaged, unsafe, or for another Python; nothing was changed.
        OSError: a disk does not work; models that are named in the store are whole all the same.
    """
    manifest = read_bundle(path)
    if engines:
        _require_python(manifest, path)
    store = Store(data / "models")
    store.prepare()
    with _incoming(store.root) as folder:
        unpack(path, BundleManifest, folder, told)
        _check_contents(manifest, folder, path)
        for model in manifest.models:
            _publish(store, model, folder / MODELS_FOLDER)
        for engine in manifest.engines if engines else ():
            _install(engine, folder / ENGINES_FOLDER / engine.folder, data)
        return manifest, _keep_wheels(folder / WHEELS_FOLDER, data)


def _require_python(manifest: BundleManifest, path: Path) -> None:
    """Raises ArchiveError where a bundled engine cannot be installed on this machine."""
    for recipe in manifest.engines:
        if manifest.platform != this_platform() or interpreter(recipe.python) is None:
            here = f"{this_python()} on {this_platform()}"
            told = {"path": str(path), "wanted": recipe.python, "platform": manifest.platform, "here": here}
            raise ArchiveError(reason(ReasonCode.BUNDLE_PYTHON_DIFFERS, **told))


@contextmanager
def _incoming(root: Path) -> Generator[Path]:
    """A private folder on the store's disk, so that content moves into the store by a rename."""
    folder = Path(tempfile.mkdtemp(prefix=_WORK_PREFIX, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_contents(manifest: BundleManifest, folder: Path, path: Path) -> None:
    """Small files have git's checksum in their name, which only their content can confirm."""
    for model in manifest.models:
        origin = model.facts.origin
        if origin is None:
            continue
        for file in model.facts.files:
            place = folder / MODELS_FOLDER / blob_name(origin, file)
            if (file.digest or "").startswith("git:") and digest_of(place, file.digest or "", file.size) != file.digest:
                raise ArchiveError(reason(ReasonCode.ARCHIVE_UNSAFE, path=str(path), member=file.path))


def _publish(store: Store, model: BundledModel, folder: Path) -> None:
    origin = model.facts.origin
    if origin is None or (store.manifest(model_key(model.facts)) and store.is_ready(model.facts)):
        return
    for file in store.missing(model.facts):
        place = folder / blob_name(origin, file)
        if place.exists():  # else another model of this bundle brought it a moment ago
            place.replace(store.blob(origin, file))
    store.publish(model.source, model.facts, {}, time.time())


def _install(recipe: Recipe, wheels: Path, data: Path) -> None:
    """An environment of its own with an engine, made of the bundle's wheels alone."""
    with _as_archive_error():
        make_environment(EnvironmentJob(engines=str(data / "engines"), recipe=recipe, brought=str(wheels)))


def _keep_wheels(folder: Path, data: Path) -> Path | None:
    """AiMindServe's own wheels stay in the data folder, for pip."""
    if not folder.is_dir():
        return None
    kept = data / WHEELS_FOLDER
    kept.mkdir(mode=0o700, exist_ok=True)
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            path.replace(kept / path.name)
    return kept
