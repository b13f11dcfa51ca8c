"""Which of a repository's files belong together and which an engine loads: decided by names and sizes alone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aimindserve.domain.gguf_files import (
    PREFERRED_QUANTIZATIONS,
    named_like_projector,
    parse_part,
    quantization_tag,
)
from aimindserve.domain.reasons import Reason, ReasonCode, reason

# Importance matrices, draft and prediction heads, adapters and vocabularies: nothing that answers on its own.
_NO_MODEL = re.compile(r"(?i)(^|[-._/])(imatrix|mtp|eagle3?|dflash|dspark|draft|lora|adapter|vocab)([-._]|$)")
# A model that was quantised with the help of an importance matrix, and says so after its quantization.
_WITH_MATRIX = re.compile(r"(?i)[-._]imat(rix)?$")
# Layouts for single processors that llama.cpp no longer reads: https://github.com/ggml-org/llama.cpp/pull/10446
_OBSOLETE = re.compile(r"(?i)(?:^|[-._])I?Q[48]_(?:0|NL)_[48]_[48](?:[-._]|$)")
_UNJOINED = re.compile(r"(?i)(?P<base>.+)(\.gguf[-.](split|part)[-a-z0-9]*|\.part\d+of\d+\.gguf)")
_SHARD = re.compile(r"(?P<prefix>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
# What an engine reads beside the weights. Everything else (pictures, documents, other frameworks) stays at the hub.
_CONFIG_NAMES = frozenset(
    {
        *("config.json", "params.json", "generation_config.json", "preprocessor_config.json", "processor_config.json"),
        *("video_preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
        *("added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "tekken.json"),
        *("chat_template.json", "chat_template.jinja", "model.safetensors.index.json", "hf_quant_config.json"),
        *("quantize_config.json", "quant_config.json", "modules.json", "sentence_bert_config.json", "spiece.model"),
        *("consolidated.safetensors.index.json", "tokenizer.model.v3", "configuration.json", "SYSTEM_PROMPT.txt"),
    }
)
_TOKENIZERS = re.compile(r"tokenizer\.model(\.v\d+m?\d*)?|.*\.tiktoken")


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """A file at a hub. ``path`` in the repository; ``size`` in bytes; ``digest`` as in ``ModelFile``."""

    path: str
    size: int
    digest: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path without the name; empty at the top."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class GgufChoice:
    """The files of one quantization, first part first. ``label``: the quantization, or the file's stem where it names
    none. ``refused``: why they are no whole model."""

    label: str
    files: tuple[RepositoryFile, ...]
    refused: Reason | None = None

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(file.size for file in self.files)


def gguf_choices(files: Iterable[RepositoryFile]) -> tuple[GgufChoice, ...]:
    """All models among a repository's GGUF files, smallest first; each label once (several files of one quantization
    are told apart by their stems)."""
    models = {file.path: file for file in files if _is_model(file)}
    choices: list[GgufChoice] = []
    seen: set[str] = set()
    for path, file in sorted(models.items()):
        if path in seen:
            continue
        choice = _choice(file, models)
        seen.update(part.path for part in choice.files)
        choices.append(choice)
    labels = [choice.label for choice in choices]
    unique = [
        GgufChoice(_stem(choice.files[0]), choice.files, choice.refused) if labels.count(choice.label) > 1 else choice
        for choice in choices
    ]
    return tuple(sorted(unique, key=lambda choice: (choice.size, choice.label)))


def default_choice(choices: Sequence[GgufChoice]) -> GgufChoice | None:
    """The choice that is taken when nobody chooses: Q4_K_M, then Q8_0, then the first by path."""
    whole = sorted((choice for choice in choices if choice.refused is None), key=lambda choice: choice.files[0].path)
    for wanted in PREFERRED_QUANTIZATIONS:
        for choice in whole:
            if wanted in (choice.label, _tag(choice.files[0].name)):
                return choice
    return whole[0] if whole else (choices[0] if choices else None)


def find_choice(choices: Sequence[GgufChoice], wanted: str) -> GgufChoice | None:
    """The choice with this quantization. A name without ``UD-`` finds the one with it when there is no other."""
    folded = "F16" if wanted.upper() == "FP16" else wanted.upper()
    for label in (folded, f"UD-{folded}"):
        for choice in choices:
            if choice.label.upper() == label:
                return choice
    tagged = [choice for choice in choices if _tag(choice.files[0].name) == folded]
    return default_choice(tagged)


def projector_candidates(files: Iterable[RepositoryFile]) -> tuple[RepositoryFile, ...]:
    """Files that say in their name that they are a projector, or that old repositories give to one."""
    return tuple(
        file
        for file in sorted(files, key=lambda file: file.path)
        if file.path.endswith(".gguf")
        and (named_like_projector(file.name) or file.name.casefold().endswith(("-vision.gguf", "-vision-encoder.gguf")))
    )


def nearest(candidates: Sequence[RepositoryFile], model: RepositoryFile) -> tuple[RepositoryFile, ...]:
    """The candidates in the model's folder, else in its nearest parent, else all."""
    folder = model.folder
    while True:
        here = tuple(file for file in candidates if file.folder == folder)
        if here or not folder:
            return here or tuple(candidates)
        folder = folder.rpartition("/")[0]


def _is_model(file: RepositoryFile) -> bool:
    stem = file.name.removesuffix(".gguf")
    if _UNJOINED.fullmatch(file.name):
        return True
    if not file.name.endswith(".gguf") or file.name.startswith(".") or projector_candidates((file,)):
        return False
    return not _NO_MODEL.search(_WITH_MATRIX.sub("", stem) if _tag(file.name) else stem)


def _tag(name: str) -> str | None:
    return quantization_tag(_WITH_MATRIX.sub("", name.removesuffix(".gguf")))


def _choice(file: RepositoryFile, models: dict[str, RepositoryFile]) -> GgufChoice:
    folder = file.folder.rpartition("/")[2]
    label = _tag(file.name) or quantization_tag(folder) or _stem(file) or folder or "model"
    unjoined = _UNJOINED.fullmatch(file.name)
    if unjoined:
        pieces = tuple(other for other in models.values() if _base(other) == _base(file))
        tag = quantization_tag(unjoined["base"]) or unjoined["base"]
        return GgufChoice(tag, pieces, reason(ReasonCode.GGUF_UNJOINED, path=file.path))
    if obsolete := _OBSOLETE.search(file.name):
        label = obsolete[0].strip("-._").upper()
        return GgufChoice(label, (file,), reason(ReasonCode.GGUF_OBSOLETE, path=file.path))
    part = parse_part(file.name)
    if part is None:
        return GgufChoice(label, (file,))
    prefix = f"{file.folder}/" if file.folder else ""
    paths = [prefix + name for name in part.names()]
    there = tuple(models[path] for path in paths if path in models)
    missing = next((path for path in paths if path not in models), None)
    refused = reason(ReasonCode.SPLIT_INCOMPLETE, total=part.count, missing=missing) if missing else None
    return GgufChoice(label, there, refused)


def _base(file: RepositoryFile) -> str | None:
    """What the pieces of a file that has to be joined have in common; None for any other file."""
    unjoined = _UNJOINED.fullmatch(file.path)
    return unjoined["base"] if unjoined else None


def _stem(file: RepositoryFile) -> str:
    part = parse_part(file.name)
    return part.prefix if part else file.name.removesuffix(".gguf")


@dataclass(frozen=True, slots=True)
class CheckpointPlan:
    """The files of a checkpoint that an engine loads: ``weights`` in order, then ``configs``. ``mistral``: it is
    described by ``params.json`` alone."""

    weights: tuple[RepositoryFile, ...]
    configs: tuple[RepositoryFile, ...]
    mistral: bool = False


def checkpoint_plan(files: Sequence[RepositoryFile], repository: str) -> CheckpointPlan | Reason:
    """What to load of a repository in the Hugging Face or the Mistral form, or why there is nothing.

    Only the top folder counts: ``original/``, ``onnx/`` and the like hold the same model for other programs. Of two
    copies of the weights the one that the configuration describes is taken.
    """
    top = {file.name: file for file in files if not file.folder}
    weights = _weights(top)
    mistral = "config.json" not in top and "params.json" in top
    if not weights:
        pickled = sorted(name for name in top if name.endswith(_PICKLED) and not name.startswith("training_args"))
        if pickled:
            return reason(ReasonCode.PICKLE_ONLY, repository=repository, files=", ".join(pickled[:3]))
        return reason(ReasonCode.REPOSITORY_NO_MODEL, repository=repository)
    if "config.json" not in top and not mistral:
        return reason(ReasonCode.REPOSITORY_NO_MODEL, repository=repository)
    missing = _missing_shard(weights)
    if missing is not None:
        return reason(ReasonCode.SPLIT_INCOMPLETE, total=missing[1], missing=missing[0])
    configs = [file for name, file in sorted(top.items()) if _is_config(name, weights)]
    # Sentence transformers keep parts of the configuration in numbered folders.
    configs += [file for file in files if re.fullmatch(r"\d_[A-Za-z]+/config\.json", file.path)]
    return CheckpointPlan(tuple(weights), tuple(configs), mistral)


def python_files(files: Iterable[RepositoryFile]) -> tuple[str, ...]:
    """All Python files of a repository, which code of it could import."""
    return tuple(sorted(file.path for file in files if file.path.endswith(".py") and "/" not in file.path))


def _weights(top: dict[str, RepositoryFile]) -> list[RepositoryFile]:
    """Safetensors files at the top, one copy of the model: ``model*`` before ``consolidated*`` before others."""
    names = sorted(name for name in top if name.endswith(".safetensors") and not name.startswith("adapter_"))
    consolidated = [name for name in names if name.startswith("consolidated")]
    others = [name for name in names if not name.startswith("consolidated")]
    if "config.json" not in top and consolidated:
        return [top[name] for name in consolidated]
    sharded = [name for name in others if _SHARD.fullmatch(name)]
    model = [name for name in others if re.fullmatch(r"(model|pytorch_model)\.safetensors", name)]
    chosen = _one_set(sharded) if sharded else (model or others or consolidated)
    return [top[name] for name in chosen]


def _one_set(sharded: list[str]) -> list[str]:
    """The shards of one set when several are there (``model-*`` and ``model.fp16-*``): the shortest prefix."""
    prefixes = {name: found["prefix"] for name in sharded if (found := _SHARD.fullmatch(name))}
    chosen = min(set(prefixes.values()), key=lambda prefix: (prefix != "model", len(prefix), prefix))
    return [name for name in sharded if prefixes[name] == chosen]


def _missing_shard(weights: Sequence[RepositoryFile]) -> tuple[str, int] | None:
    names = {file.name for file in weights}
    found = _SHARD.fullmatch(weights[0].name)
    if found is None:
        return None
    count = int(found["count"])
    if count > len(names):
        for number in range(1, count + 1):
            name = f"{found['prefix']}-{number:05}-of-{count:05}.safetensors"
            if name not in names:
                return name, count
    return None


def _is_config(name: str, weights: Sequence[RepositoryFile]) -> bool:
    if name == "consolidated.safetensors.index.json":
        return weights[0].name.startswith("consolidated")
    return name in _CONFIG_NAMES or bool(_TOKENIZERS.fullmatch(name))
