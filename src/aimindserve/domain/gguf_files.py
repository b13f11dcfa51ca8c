"""Which GGUF files belong together: parts of a split model, quantizations, and the projector of a vision model."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aimindserve.domain.gguf_facts import GgufSummary, ProjectorFacts

_PART = re.compile(r"(?P<prefix>.+)-(?P<number>[0-9]{5})-of-(?P<count>[0-9]{5})\.gguf")
_QUANTIZATION = re.compile(
    r"(?i)(?:^|[-._])(?P<tag>(?:UD-)?(?:(?:I?Q[1-8]|TQ[12])_(?:0|1|K|NL|XXS|XS|S|M|L|XL)(?:_(?:XS|S|M|L|XL|P))?"
    r"|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32))(?=[-.]|$)"
)
# Files that help a model and are none: importance matrices, draft models, adapters, vocabularies.
_AUXILIARY = re.compile(r"(?i)(^|[-._])(imatrix|mtp|eagle3|dflash|dspark|lora|vocab)([-._]|$)")

# Their language part is of no use without a projector. Families with text-only members (gemma3, llama) are not here.
VISION_ARCHITECTURES = frozenset(
    {"qwen2vl", "qwen3vl", "qwen3vlmoe", "cogvlm", "deepseek2-ocr", "hunyuan_vl", "paddleocr", "mllama"}
)
EMBEDDING_ARCHITECTURES = frozenset(
    {
        *("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3"),
        *("eurobert", "gemma-embedding", "llama-embed", "t5encoder"),
    }
)
# Projector types that one family of language models understands; others are told apart by width and name only.
_FAMILIES = {
    "qwen2vl_merger": ("qwen2vl",),
    "qwen2.5vl_merger": ("qwen2vl",),
    "qwen2.5o": ("qwen2vl",),
    "qwen3vl_merger": ("qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe"),
    "gemma3": ("gemma3",),
    "gemma4v": ("gemma4",),
    "llama4": ("llama4",),
    "cogvlm": ("cogvlm",),
    "paddleocr": ("paddleocr",),
}
_PRECISIONS = ("F16", "BF16", "Q8_0", "F32")
# What is taken when nobody chooses, best first.
PREFERRED_QUANTIZATIONS = ("Q4_K_M", "UD-Q4_K_M", "Q8_0", "UD-Q8_0")
_SHORTEST_COMMON_NAME = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A file name of a split model; ``number`` counts from 1."""

    prefix: str
    number: int
    count: int

    def names(self) -> tuple[str, ...]:
        """The names of all parts, in order."""
        return tuple(f"{self.prefix}-{number:05}-of-{self.count:05}.gguf" for number in range(1, self.count + 1))


def parse_part(name: str) -> Part | None:
    """The place of ``name`` among the parts of a split model, or None when it is a file on its own."""
    found = _PART.fullmatch(name)
    if not found:
        return None
    number, count = int(found["number"]), int(found["count"])
    return Part(found["prefix"], number, count) if 1 <= number <= count <= 1000 else None


def quantization_tag(name: str) -> str | None:
    """The last quantization that a file name mentions, in capitals: ``Q4_K_M``."""
    found = [match["tag"].upper() for match in _QUANTIZATION.finditer(name.removesuffix(".gguf"))]
    return found[-1].replace("FP16", "F16") if found else None


def named_like_projector(name: str) -> bool:
    """Whether a file name says that it is a projector."""
    return "mmproj" in name.casefold()


def choose_model(names: Iterable[str]) -> str | None:
    """The file to run out of a folder's GGUF files: the preferred quantization, then the first by name. Projectors,
    helpers and later parts of split models are passed over. None when nothing is left."""
    models = sorted(
        name
        for name in names
        if not named_like_projector(name)
        and not _AUXILIARY.search(name.removesuffix(".gguf"))
        and ((part := parse_part(name)) is None or part.number == 1)
    )
    for wanted in PREFERRED_QUANTIZATIONS:
        for name in models:
            if quantization_tag(name) == wanted:
                return name
    return models[0] if models else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file and what its header tells."""

    name: str
    summary: GgufSummary


def width_fits(model: GgufSummary, projector: ProjectorFacts) -> bool:
    """Whether the projector's output can be the model's input."""
    return model.embedding_size is None or not projector.widths or model.embedding_size in projector.widths


def match_projector(model: Candidate, candidates: Sequence[Candidate]) -> Candidate | None:
    """The projector that belongs to ``model``, or None.

    It must feed the model's width and family. Of those that do, the one with the model's own name wins, then the
    longest common beginning of the names, then the precision: F16, BF16, Q8_0, F32 (more costs memory and shows
    nothing). A model that can do without a projector takes one only when the names say that they belong together.
    """
    fitting = [candidate for candidate in candidates if _fits(model, candidate)]
    return min(fitting, key=lambda candidate: _distance(model, candidate), default=None)


def _fits(model: Candidate, candidate: Candidate) -> bool:
    projector = candidate.summary.projector
    if projector is None or not projector.sees or not width_fits(model.summary, projector):
        return False
    families = _FAMILIES.get(projector.type)
    if families is not None:
        return model.summary.architecture in families
    return model.summary.architecture in VISION_ARCHITECTURES or _related(model, candidate)


def _related(model: Candidate, candidate: Candidate) -> bool:
    """A projector called ``mmproj-model-f16.gguf`` names no model and goes with any."""
    stem = _stem(candidate.name)
    same_name = _same_declared_name(model, candidate)
    return same_name or stem in ("", "model") or _common(model, candidate) >= _SHORTEST_COMMON_NAME


def _distance(model: Candidate, candidate: Candidate) -> tuple[bool, int, int, str]:
    precision = candidate.summary.quantization or quantization_tag(candidate.name) or ""
    rank = _PRECISIONS.index(precision) if precision in _PRECISIONS else len(_PRECISIONS)
    return (not _same_declared_name(model, candidate), -_common(model, candidate), rank, candidate.name)


def _same_declared_name(model: Candidate, candidate: Candidate) -> bool:
    name = model.summary.name.strip().casefold()
    return bool(name) and name == candidate.summary.name.strip().casefold()


def _stem(name: str) -> str:
    """What is left of a file name without the word mmproj and the quantization."""
    stem = re.sub(r"(?i)mmproj", "", name.removesuffix(".gguf"))
    return _QUANTIZATION.sub("", stem).strip("-._ ").casefold()


def _common(model: Candidate, candidate: Candidate) -> int:
    length = 0
    for ours, theirs in zip(_stem(model.name), _stem(candidate.name), strict=False):
        if ours != theirs:
            break
        length += 1
    return length
