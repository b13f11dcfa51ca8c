"""The facts of a GGUF model, from the headers of its parts and of its projector."""

from collections.abc import Sequence
from dataclasses import dataclass

from aimindserve.domain.facts import (
    FileRole,
    HubOrigin,
    ModelFacts,
    ModelFile,
    ModelFormat,
    ModelPart,
    VisionFacts,
    WeightGroup,
)
from aimindserve.domain.gguf import GgufError, GgufProblem
from aimindserve.domain.gguf_facts import GgufKind, GgufSummary, ProjectorFacts
from aimindserve.domain.gguf_files import EMBEDDING_ARCHITECTURES, quantization_tag, width_fits
from aimindserve.domain.hubs import in_order
from aimindserve.domain.reasons import Reason, ReasonCode, reason

# Said by an administrator who wants none (``spec.projector``).
NO_PROJECTOR = "none"
# LLAMA_POOLING_TYPE_RANK of llama.cpp's include/llama.h.
_POOLING_RANK = 4
_UNSUPPORTED = {GgufProblem.VERSION, GgufProblem.BIG_ENDIAN, GgufProblem.TENSOR_TYPE, GgufProblem.VALUE_TYPE}


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A file whose header was read. ``path`` as it goes into the facts; ``name`` its last part."""

    path: str
    size: int
    summary: GgufSummary
    digest: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    def planned(self, role: FileRole) -> ModelFile:
        """This file in the facts."""
        return ModelFile(path=self.path, role=role, size=self.size, digest=self.digest)


def explain_gguf(path: str, error: GgufError) -> Reason:
    """Why the file at ``path`` cannot be used."""
    if error.problem is GgufProblem.MAGIC:
        return reason(ReasonCode.FILE_NOT_GGUF, path=path)
    code = ReasonCode.GGUF_UNSUPPORTED if error.problem in _UNSUPPORTED else ReasonCode.GGUF_CORRUPT
    return reason(code, path=path, detail=error.detail)


def refuse_as_model(file: GgufFile) -> Reason | None:
    """Why ``file`` is not a language model, or None."""
    if file.summary.kind is GgufKind.PROJECTOR:
        return reason(ReasonCode.GGUF_IS_PROJECTOR, path=file.path)
    # Later parts of a split model may hold no tensors' names that tell, and no metadata but their number.
    if file.summary.kind is GgufKind.OTHER and file.summary.split is None:
        return reason(ReasonCode.GGUF_NOT_A_MODEL, path=file.path, kind=file.summary.architecture)
    return None


def refuse_projector(model: GgufFile, projectors: Sequence[GgufFile], damaged: Sequence[Reason]) -> Reason:
    """Why none of the projectors that are there serves ``model``, which needs one."""
    for file in projectors:
        projector = file.summary.projector
        if projector is not None and not width_fits(model.summary, projector):
            return reason(
                ReasonCode.PROJECTOR_MISMATCH,
                path=model.path,
                projector=file.name,
                have=projector.widths[0],
                want=model.summary.embedding_size or 0,
            )
    return damaged[0] if damaged else reason(ReasonCode.PROJECTOR_MISSING, path=model.path)


def gguf_model(
    parts: Sequence[GgufFile],
    projector: GgufFile | None,
    origin: HubOrigin | None = None,
    *,
    license: str | None = None,  # noqa: A002  # as the field is called
    gated: bool = False,
) -> ModelFacts:
    """The facts of the model in ``parts``, the first part first, with its projector."""
    model = parts[0].summary
    sight = projector.summary.projector if projector else None
    files = [part.planned(FileRole.WEIGHTS) for part in parts]
    if projector is not None:
        files.append(projector.planned(FileRole.PROJECTOR))
    weights = _merge([group for part in parts for group in part.summary.weights])
    return ModelFacts(
        format=ModelFormat.GGUF,
        architecture=model.architecture,
        name=model.name or parts[0].name.removesuffix(".gguf"),
        files=tuple(files),
        capabilities=gguf_capabilities(model, sight),
        quantization=quantization_tag(parts[0].name) or model.quantization,
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
        origin=origin,
        weights=(*weights, *(projector.summary.weights if projector else ())),
        caches=model.caches,
        # The output part always has a norm; only an output of its own is a matrix.
        tied_embeddings=not any(group.part is ModelPart.OUTPUT and group.linear for group in weights),
        model_type=model.architecture,
        license=license,
        gated=gated,
        has_chat_template=model.has_chat_template,
    )


def like_default(known: ModelFacts, files: Sequence[ModelFile], quantization: str) -> ModelFacts:
    """The facts of another quantization of the model that ``known`` is about, from its files' sizes alone.

    All that does not depend on the quantization is exact. The bytes of the weights are the files' without a header as
    long as the known one's; how they divide over the parts is taken from ``known``.
    """
    weight_files = [file for file in files if file.role is FileRole.WEIGHTS]
    header = sum(file.size for file in known.files_of(FileRole.WEIGHTS)) - known.weight_bytes
    total = max(sum(file.size for file in weight_files) - header, 0)
    share = total / known.weight_bytes if known.weight_bytes else 0.0
    scaled = tuple(
        group
        if group.part in (ModelPart.VISION, ModelPart.PROJECTOR, ModelPart.AUDIO) or not known.weight_bytes
        else group.model_copy(update={"bytes": round(group.bytes * share), "dtype": quantization})
        for group in known.weights
    )
    update = {"files": tuple(files), "quantization": quantization, "weight_bytes": total, "weights": scaled}
    return known.model_copy(update=update)


def gguf_capabilities(model: GgufSummary, sight: ProjectorFacts | None) -> tuple[str, ...]:
    """What the model can do with this projector."""
    if model.pooling == _POOLING_RANK:
        return ("rerank",)
    if model.architecture in EMBEDDING_ARCHITECTURES or (model.pooling and not model.has_chat_template):
        return ("embedding",)
    senses = (*(("vision",) if sight and sight.sees else ()), *(("audio",) if sight and sight.hears else ()))
    return in_order(("chat", *senses, *model.talents))


def _merge(groups: Sequence[WeightGroup]) -> tuple[WeightGroup, ...]:
    """Groups of several parts of a split model as one list."""
    merged: dict[tuple[ModelPart, str, bool], WeightGroup] = {}
    for group in groups:
        key = (group.part, group.dtype, group.linear)
        known = merged.get(key)
        if known is not None:
            sums = {"elements": known.elements + group.elements, "bytes": known.bytes + group.bytes}
            group = known.model_copy(update=sums)  # noqa: PLW2901
        merged[key] = group
    return tuple(merged.values())


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
        pixels_min=sight.pixels_min,
        pixels_max=sight.pixels_max,
        deepstack_levels=sight.deepstack_levels,
    )
