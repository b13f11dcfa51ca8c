"""A GGUF model on this machine: its parts, its projector and its facts."""

from pathlib import Path

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.gguf import GgufError, read_header
from aimindserve.domain.gguf_facts import GgufKind, summarize
from aimindserve.domain.gguf_files import (
    VISION_ARCHITECTURES,
    Candidate,
    match_projector,
    named_like_projector,
    parse_part,
    width_fits,
)
from aimindserve.domain.gguf_model import (
    NO_PROJECTOR,
    GgufFile,
    explain_gguf,
    gguf_model,
    refuse_as_model,
    refuse_projector,
)
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.sources._base import RefusedError, names_in, open_regular

# Headers that are read to find a projector whose name does not say so.
_MOST_NEIGHBOURS = 32


def resolve_gguf(path: Path, projector: str | None = None) -> ModelFacts:
    """The facts of the model in ``path`` (any part of a split one) and its projector. Raises RefusedError.

    ``projector``: an absolute path or a name in the model's folder, ``none`` for text only, None to have one found.
    """
    first = _read(path)
    refused = refuse_as_model(first)
    if refused is not None:
        raise RefusedError(refused)
    parts = _parts(first)
    if projector == NO_PROJECTOR:
        return gguf_model(parts, None)
    found = _named_projector(parts[0], projector) if projector else _find_projector(parts[0])
    return gguf_model(parts, found)


def _named_projector(model: GgufFile, projector: str) -> GgufFile:
    path = Path(model.path).parent / projector
    there = _projector_names(path.parent) if path.parent.is_dir() else []
    if not path.is_file():
        names = ", ".join(there) or "–"
        raise RefusedError(
            reason(ReasonCode.PROJECTOR_NOT_FOUND, source=str(path.parent), projector=path.name, there=names)
        )
    file = _read(path)
    if file.summary.kind is not GgufKind.PROJECTOR or not _feeds(model, file):
        raise RefusedError(refuse_projector(model, [file], []))
    return file


def _feeds(model: GgufFile, file: GgufFile) -> bool:
    return file.summary.projector is not None and width_fits(model.summary, file.summary.projector)


def _read(path: Path) -> GgufFile:
    with open_regular(path) as file:
        try:
            return GgufFile(str(path), file.size, summarize(read_header(file.read, file.size)))
        except GgufError as error:
            raise RefusedError(explain_gguf(str(path), error)) from error


def _parts(named: GgufFile) -> list[GgufFile]:
    """All parts of the model, the first one first; a file on its own is its only part."""
    part, split = parse_part(named.name), named.summary.split
    if part is None:
        if split is not None:
            missing = f"*-00001-of-{split.count:05}.gguf"
            raise RefusedError(reason(ReasonCode.SPLIT_INCOMPLETE, total=split.count, missing=missing))
        return [named]
    folder = Path(named.path).parent
    there = set(names_in(folder))
    for name in part.names():
        if name not in there:
            raise RefusedError(reason(ReasonCode.SPLIT_INCOMPLETE, total=part.count, missing=str(folder / name)))
    return [named if name == named.name else _read(folder / name) for name in part.names()]


def _find_projector(model: GgufFile) -> GgufFile | None:
    """The projector for ``model`` in its folder or, by name, in the folder above. None for a model that needs none.

    Raises RefusedError when the model needs one and has none that is whole and fits.
    """
    needed = model.summary.architecture in VISION_ARCHITECTURES
    candidates, damaged = _candidates(model)
    for _ in range(2):
        found = match_projector(_candidate(model), [_candidate(file) for file in candidates])
        if found is not None:
            return next(file for file in candidates if file.name == found.name)
        if damaged or candidates:
            break
        above = Path(model.path).parent.parent
        candidates, damaged = _read_candidates(above, _projector_names(above))
    if needed:
        raise RefusedError(refuse_projector(model, candidates, damaged))
    return None


def _candidates(model: GgufFile) -> tuple[list[GgufFile], list[Reason]]:
    """Projectors in the model's folder: those that are named so, else those whose header says so."""
    folder = Path(model.path).parent
    names = _projector_names(folder)
    files, damaged = _read_candidates(folder, names)
    if not files:
        others = [name for name in names_in(folder) if name.endswith(".gguf") and name != model.name]
        unsplit = [name for name in others if name not in names and parse_part(name) is None]
        files, _ = _read_candidates(folder, unsplit[:_MOST_NEIGHBOURS])
    return files, damaged


def _projector_names(folder: Path) -> list[str]:
    try:
        names = names_in(folder)
    except RefusedError:
        return []
    return [name for name in names if name.endswith(".gguf") and named_like_projector(name)]


def _read_candidates(folder: Path, names: list[str]) -> tuple[list[GgufFile], list[Reason]]:
    """The projectors among ``names``, and why some of them could not be read."""
    files: list[GgufFile] = []
    damaged: list[Reason] = []
    for name in names:
        try:
            file = _read(folder / name)
        except RefusedError as refused:
            damaged.append(refused.reason)
            continue
        if file.summary.kind is GgufKind.PROJECTOR:
            files.append(file)
    return files, damaged


def _candidate(file: GgufFile) -> Candidate:
    return Candidate(file.name, file.summary)
