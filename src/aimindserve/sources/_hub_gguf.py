"""GGUF models of a repository: which files, which projector, which facts."""

from collections.abc import Sequence
from dataclasses import dataclass

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile
from aimindserve.domain.gguf_facts import GgufKind
from aimindserve.domain.gguf_files import VISION_ARCHITECTURES, Candidate, match_projector, width_fits
from aimindserve.domain.gguf_model import (
    NO_PROJECTOR,
    GgufFile,
    gguf_model,
    like_default,
    refuse_as_model,
    refuse_projector,
)
from aimindserve.domain.hub_files import (
    GgufChoice,
    RepositoryFile,
    default_choice,
    find_choice,
    gguf_choices,
    nearest,
    projector_candidates,
)
from aimindserve.domain.hubs import HubChoice
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source
from aimindserve.sources._base import RefusedError
from aimindserve.sources._hub import Snapshot, at_once, read_gguf

ENGINE = "llama.cpp"
# Headers of projectors that are looked at: publishers give one in up to four precisions.
_MOST_PROJECTORS = 8


@dataclass(frozen=True, slots=True)
class Sight:
    """The projectors for one model: those that fit, best first, and why others do not."""

    fitting: tuple[GgufFile, ...] = ()
    others: tuple[GgufFile, ...] = ()
    damaged: tuple[Reason, ...] = ()


def choose_gguf(snapshot: Snapshot, source: Source) -> GgufChoice | None:
    """The files that ``source`` names, or the default. None: the repository has no GGUF model, or another file is
    named. Raises RefusedError."""
    choices = gguf_choices(snapshot.files)
    if source.file is not None:
        return _named(snapshot, choices, source.file)
    if source.quantization is not None:
        found = find_choice(choices, source.quantization)
        if found is None:
            there = ", ".join(choice.label for choice in choices) or "–"
            raise RefusedError(
                reason(
                    ReasonCode.QUANTIZATION_NOT_FOUND,
                    repository=snapshot.repository,
                    wanted=source.quantization,
                    available=there,
                )
            )
        return found
    return default_choice(choices)


def _named(snapshot: Snapshot, choices: Sequence[GgufChoice], path: str) -> GgufChoice | None:
    file = snapshot.file(path)
    if file is None:
        raise RefusedError(reason(ReasonCode.HUB_FILE_NOT_FOUND, repository=snapshot.repository, file=path))
    if not path.endswith(".gguf"):
        return None
    whole = next((choice for choice in choices if any(part.path == path for part in choice.files)), None)
    return whole or GgufChoice(file.name.removesuffix(".gguf"), (file,))


def gguf_facts(snapshot: Snapshot, choice: GgufChoice, projector: str | None) -> ModelFacts:
    """The facts of one choice with its projector. Raises RefusedError."""
    parts = _parts(snapshot, choice)
    chosen = choose_projector(snapshot, parts[0], projector)
    return gguf_model(parts, chosen, snapshot.origin, license=snapshot.license, gated=snapshot.gated)


def _parts(snapshot: Snapshot, choice: GgufChoice) -> list[GgufFile]:
    if choice.refused is not None:
        raise RefusedError(choice.refused)
    parts = at_once(lambda file: read_gguf(snapshot, file), choice.files)
    refused = refuse_as_model(parts[0])
    if refused is not None:
        raise RefusedError(refused)
    split = parts[0].summary.split
    if split is not None and split.count != len(parts):
        missing = f"*-{len(parts) + 1:05}-of-{split.count:05}.gguf"
        raise RefusedError(reason(ReasonCode.SPLIT_INCOMPLETE, total=split.count, missing=missing))
    return parts


def choose_projector(snapshot: Snapshot, model: GgufFile, wanted: str | None) -> GgufFile | None:
    """The projector that is named, or the best that fits; None for text only. Raises RefusedError."""
    if wanted == NO_PROJECTOR:
        return None
    if wanted is not None:
        return _named_projector(snapshot, model, wanted)
    sight = find_projectors(snapshot, model)
    if sight.fitting:
        return sight.fitting[0]
    if model.summary.architecture in VISION_ARCHITECTURES:
        raise RefusedError(refuse_projector(model, sight.others, sight.damaged))
    return None


def find_projectors(snapshot: Snapshot, model: GgufFile) -> Sight:
    """All projectors near ``model`` with what their headers say. Raises RefusedError when the hub fails."""
    model_file = RepositoryFile(model.path, model.size)
    near = nearest(projector_candidates(snapshot.files), model_file)[:_MOST_PROJECTORS]
    read: list[GgufFile] = []
    damaged: list[Reason] = []
    for result in at_once(lambda file: _read_or_reason(snapshot, file), near):
        if isinstance(result, Reason):
            damaged.append(result)
        elif result.summary.kind is GgufKind.PROJECTOR:
            read.append(result)
    ranked: list[GgufFile] = []
    left = list(read)
    while (found := match_projector(_candidate(model), [_candidate(file) for file in left])) is not None:
        best = next(file for file in left if file.name == found.name)
        ranked.append(best)
        left.remove(best)
    return Sight(tuple(ranked), tuple(left), tuple(damaged))


def _read_or_reason(snapshot: Snapshot, file: RepositoryFile) -> GgufFile | Reason:
    try:
        return read_gguf(snapshot, file)
    except RefusedError as refused:
        if refused.reason.code in (ReasonCode.GGUF_CORRUPT, ReasonCode.GGUF_UNSUPPORTED, ReasonCode.FILE_NOT_GGUF):
            return refused.reason
        raise


def _named_projector(snapshot: Snapshot, model: GgufFile, wanted: str) -> GgufFile:
    candidates = projector_candidates(snapshot.files)
    file = snapshot.file(wanted) or next((each for each in candidates if each.name == wanted), None)
    if file is None or not file.path.endswith(".gguf"):
        there = ", ".join(each.path for each in candidates) or "–"
        raise RefusedError(
            reason(ReasonCode.PROJECTOR_NOT_FOUND, source=snapshot.repository, projector=wanted, there=there)
        )
    projector = read_gguf(snapshot, file)
    facts = projector.summary.projector
    if facts is None or not width_fits(model.summary, facts):
        raise RefusedError(refuse_projector(model, [projector], []))
    return projector


def list_gguf(snapshot: Snapshot) -> tuple[HubChoice, ...]:
    """All quantizations with their sizes; the headers of the default and of the projectors are read. Raises
    RefusedError when the hub fails."""
    choices = gguf_choices(snapshot.files)
    default = default_choice(choices)
    if default is None:
        return ()
    known: ModelFacts | None = None
    refused: Reason | None = None
    sight = Sight()
    try:
        parts = _parts(snapshot, default)
        sight = find_projectors(snapshot, parts[0])
        chosen = sight.fitting[0] if sight.fitting else None
        if chosen is None and parts[0].summary.architecture in VISION_ARCHITECTURES:
            refused = refuse_projector(parts[0], sight.others, sight.damaged)
        known = gguf_model(parts, chosen, snapshot.origin, license=snapshot.license, gated=snapshot.gated)
    except RefusedError as error:
        if error.reason.code in HUB_FAILURES:
            raise
        refused = error.reason
    return tuple(_view(snapshot, choice, choice is default, known, sight, refused) for choice in choices)


# What stands in the way of the whole repository and not of one choice.
HUB_FAILURES = frozenset(
    {
        *(ReasonCode.HUB_OFFLINE, ReasonCode.HUB_UNREACHABLE, ReasonCode.HUB_RATE_LIMITED),
        *(
            ReasonCode.REPOSITORY_NEEDS_TOKEN,
            ReasonCode.TOKEN_INVALID,
            ReasonCode.TOKEN_SCOPE,
            ReasonCode.REPOSITORY_GATED,
        ),
        *(ReasonCode.REPOSITORY_NOT_FOUND, ReasonCode.REVISION_NOT_FOUND, ReasonCode.HUB_FILE_NOT_FOUND),
    }
)


def _view(
    snapshot: Snapshot,
    choice: GgufChoice,
    default: bool,  # a property of the choice
    known: ModelFacts | None,
    sight: Sight,
    refused: Reason | None,
) -> HubChoice:
    projector = sight.fitting[0] if sight.fitting else None
    files = [
        ModelFile(path=file.path, role=FileRole.WEIGHTS, size=file.size, digest=file.digest) for file in choice.files
    ]
    if projector is not None:
        files.append(projector.planned(FileRole.PROJECTOR))
    why = choice.refused or refused
    facts = known if default and known else (like_default(known, files, choice.label) if known else None)
    # Labels that are no quantization (two files of one) are reached by their path.
    by_tag = not any(char in choice.label for char in "./ ") and len(choice.label) <= 32
    source = snapshot.source(choice.label) if by_tag else f"{snapshot.source()}/{choice.files[0].path}"
    return HubChoice(
        quantization=choice.label,
        source=source,
        engine=ENGINE,
        files=tuple(file.path for file in files),
        size=sum(file.size for file in files),
        projector=projector.path if projector else None,
        projectors=tuple(file.path for file in sight.fitting),
        default=default,
        facts=None if why else facts,
        refused=why,
    )


def _candidate(file: GgufFile) -> Candidate:
    return Candidate(file.name, file.summary)
