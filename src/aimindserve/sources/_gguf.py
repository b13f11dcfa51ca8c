"""A GGUF model on this machine or in a repository: its parts, its projector and its facts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat, VisionFacts
from aimindserve.domain.gguf import GgufError, GgufProblem, read_header
from aimindserve.domain.gguf_facts import GgufKind, GgufSummary, ProjectorFacts, summarize
from aimindserve.domain.gguf_files import (
    EMBEDDING_ARCHITECTURES,
    VISION_ARCHITECTURES,
    Candidate,
    match_projector,
    named_like_projector,
    parse_part,
    quantization_tag,
    width_fits,
)
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.sources._base import RefusedError, names_in, open_regular

_UNSUPPORTED = {GgufProblem.VERSION, GgufProblem.BIG_ENDIAN, GgufProblem.TENSOR_TYPE, GgufProblem.VALUE_TYPE}
# Headers that are read to find a projector whose name does not say so.
_MOST_NEIGHBOURS = 32
# LLAMA_POOLING_TYPE_RANK of llama.cpp's include/llama.h.
_POOLING_RANK = 4
WITHOUT_PROJECTOR = "none"


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A file and what its header tells; ``size`` in bytes."""

    path: PurePath
    size: int
    summary: GgufSummary


class Shelf(Protocol):
    """Where GGUF files lie: a machine's disk, or a repository."""

    def names(self, folder: PurePath) -> list[str]:
        """Names of everything in a folder, sorted. Raises RefusedError when it cannot be listed."""
        ...

    def read(self, path: PurePath) -> GgufFile:
        """The header of a file. Raises RefusedError when it cannot be read or is no GGUF."""
        ...


class LocalShelf:
    """This machine's disk."""

    def names(self, folder: PurePath) -> list[str]:
        """See ``Shelf``."""
        return names_in(Path(folder))

    def read(self, path: PurePath) -> GgufFile:
        """See ``Shelf``."""
        with open_regular(Path(path)) as file:
            return GgufFile(path, file.size, header_of(path, file.read, file.size))


def header_of(path: PurePath, read: Callable[[int, int], bytes], size: int) -> GgufSummary:
    """What a GGUF header tells. ``read`` gives bytes by offset and count. Raises RefusedError."""
    try:
        return summarize(read_header(read, size))
    except GgufError as error:
        raise RefusedError(_explain(path, error)) from error


def resolve_gguf(shelf: Shelf, path: PurePath, projector: str | None = None) -> ModelFacts:
    """The facts of the model in ``path`` (any part of a split one) and its projector: the one that is found, or the
    named one (relative to the model's folder, ``none`` for none). Raises RefusedError."""
    first = shelf.read(path)
    _check_is_model(first)
    parts = _parts(shelf, first)
    return _facts(parts, _projector(shelf, parts[0], projector))


def _projector(shelf: Shelf, model: GgufFile, wish: str | None) -> GgufFile | None:
    if wish is None:
        return _find_projector(shelf, model)
    if wish == WITHOUT_PROJECTOR:
        return None
    named = shelf.read(shelf_root(shelf, model) / wish)
    projector = named.summary.projector
    if projector is None or not width_fits(model.summary, projector):
        raise RefusedError(_no_projector(model, [named] if projector else [], []))
    return named


def shelf_root(shelf: Shelf, model: GgufFile) -> PurePath:
    """The folder from which projectors are named: the model's, or the whole repository."""
    return model.path.parent if isinstance(shelf, LocalShelf) else PurePosixPath()


def _explain(path: PurePath, error: GgufError) -> Reason:
    if error.problem is GgufProblem.MAGIC:
        return reason(ReasonCode.FILE_NOT_GGUF, path=str(path))
    code = ReasonCode.GGUF_UNSUPPORTED if error.problem in _UNSUPPORTED else ReasonCode.GGUF_CORRUPT
    return reason(code, path=str(path), detail=error.detail)


def _check_is_model(file: GgufFile) -> None:
    if file.summary.kind is GgufKind.PROJECTOR:
        raise RefusedError(reason(ReasonCode.GGUF_IS_PROJECTOR, path=str(file.path)))
    # Later parts of a split model may hold no tensors' names that tell, and no metadata but their number.
    if file.summary.kind is GgufKind.OTHER and file.summary.split is None:
        kind = file.summary.architecture
        raise RefusedError(reason(ReasonCode.GGUF_NOT_A_MODEL, path=str(file.path), kind=kind))


def _parts(shelf: Shelf, named: GgufFile) -> list[GgufFile]:
    """All parts of the model, the first one first; a file on its own is its only part."""
    part, split = parse_part(named.path.name), named.summary.split
    if part is None:
        if split is not None:
            missing = f"*-00001-of-{split.count:05}.gguf"
            raise RefusedError(reason(ReasonCode.SPLIT_INCOMPLETE, total=split.count, missing=missing))
        return [named]
    folder = named.path.parent
    there = set(shelf.names(folder))
    for name in part.names():
        if name not in there:
            raise RefusedError(reason(ReasonCode.SPLIT_INCOMPLETE, total=part.count, missing=str(folder / name)))
    return [named if name == named.path.name else shelf.read(folder / name) for name in part.names()]


def _find_projector(shelf: Shelf, model: GgufFile) -> GgufFile | None:
    """The projector for ``model`` in its folder or, by name, in the folder above. None for a model that needs none.

    Raises RefusedError when the model needs one and has none that is whole and fits.
    """
    needed = model.summary.architecture in VISION_ARCHITECTURES
    candidates, damaged = _candidates(shelf, model)
    for _ in range(2):
        found = match_projector(_candidate(model), [_candidate(file) for file in candidates])
        if found is not None:
            return next(file for file in candidates if file.path.name == found.name)
        if damaged or candidates:
            break
        above = model.path.parent.parent
        candidates, damaged = _read_candidates(shelf, above, _projector_names(shelf, above))
    if needed:
        raise RefusedError(_no_projector(model, candidates, damaged))
    return None


def _no_projector(model: GgufFile, candidates: list[GgufFile], damaged: list[Reason]) -> Reason:
    for file in candidates:
        projector = file.summary.projector
        if projector is not None and not width_fits(model.summary, projector):
            return reason(
                ReasonCode.PROJECTOR_MISMATCH,
                path=str(model.path),
                projector=file.path.name,
                have=projector.widths[0],
                want=model.summary.embedding_size or 0,
            )
    return damaged[0] if damaged else reason(ReasonCode.PROJECTOR_MISSING, path=str(model.path))


def _candidates(shelf: Shelf, model: GgufFile) -> tuple[list[GgufFile], list[Reason]]:
    """Projectors in the model's folder: those that are named so, else those whose header says so."""
    folder = model.path.parent
    names = _projector_names(shelf, folder)
    files, damaged = _read_candidates(shelf, folder, names)
    if not files:
        others = [name for name in shelf.names(folder) if name.endswith(".gguf") and name != model.path.name]
        unsplit = [name for name in others if name not in names and parse_part(name) is None]
        files, _ = _read_candidates(shelf, folder, unsplit[:_MOST_NEIGHBOURS])
    return files, damaged


def _projector_names(shelf: Shelf, folder: PurePath) -> list[str]:
    try:
        names = shelf.names(folder)
    except RefusedError:
        return []
    return [name for name in names if name.endswith(".gguf") and named_like_projector(name)]


def _read_candidates(shelf: Shelf, folder: PurePath, names: list[str]) -> tuple[list[GgufFile], list[Reason]]:
    """The projectors among ``names``, and why some of them could not be read."""
    files: list[GgufFile] = []
    damaged: list[Reason] = []
    for name in names:
        try:
            file = shelf.read(folder / name)
        except RefusedError as refused:
            damaged.append(refused.reason)
            continue
        if file.summary.kind is GgufKind.PROJECTOR:
            files.append(file)
    return files, damaged


def _candidate(file: GgufFile) -> Candidate:
    return Candidate(file.path.name, file.summary)


def _facts(parts: list[GgufFile], projector: GgufFile | None) -> ModelFacts:
    model = parts[0].summary
    sight = projector.summary.projector if projector else None
    files = [ModelFile(path=str(part.path), role=FileRole.WEIGHTS, size=part.size) for part in parts]
    if projector is not None:
        files.append(ModelFile(path=str(projector.path), role=FileRole.PROJECTOR, size=projector.size))
    return ModelFacts(
        format=ModelFormat.GGUF,
        architecture=model.architecture,
        name=model.name or parts[0].path.stem,
        files=tuple(files),
        capabilities=_capabilities(model, sight),
        quantization=quantization_tag(parts[0].path.name) or model.quantization,
        parameters=sum(part.summary.parameters for part in parts),
        context_length=model.context_length,
        layers=model.layers,
        heads=model.heads,
        kv_heads=model.kv_heads,
        head_size=model.key_size,
        value_size=model.value_size,
        embedding_size=model.embedding_size,
        feed_forward_size=model.feed_forward_size,
        vocabulary_size=model.vocabulary_size,
        weight_bytes=sum(part.summary.sizes.total for part in parts),
        projector_bytes=projector.summary.sizes.total if projector else 0,
        image_tokens_min=sight.image_tokens_min if sight else None,
        image_tokens_max=sight.image_tokens_max if sight else None,
        vision=_vision(sight) if sight else None,
    )


def _capabilities(model: GgufSummary, sight: ProjectorFacts | None) -> tuple[str, ...]:
    if model.pooling == _POOLING_RANK:
        return ("rerank",)
    if model.architecture in EMBEDDING_ARCHITECTURES or (model.pooling and not model.has_chat_template):
        return ("embedding",)
    return ("chat", *(("vision",) if sight and sight.sees else ()), *(("audio",) if sight and sight.hears else ()))


def _vision(sight: ProjectorFacts) -> VisionFacts:
    return VisionFacts(
        kind=sight.type,
        width=sight.width,
        feed_forward_size=sight.feed_forward,
        heads=sight.heads,
        layers=sight.layers,
        image_size=sight.image_size,
        patch_size=sight.patch_size,
        merge_size=sight.merge_size,
    )
