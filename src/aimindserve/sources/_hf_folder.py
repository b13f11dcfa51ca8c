"""A Hugging Face checkpoint in a folder of this machine: ``config.json`` and ``*.safetensors``."""

from pathlib import Path

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat, VisionFacts
from aimindserve.domain.hf_config import (
    MAX_CONFIG,
    MAX_SAFETENSORS_HEADER,
    ConfigError,
    HfConfig,
    parse_config,
    parse_image_pixels,
    parse_safetensors_header,
)
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.sources._base import OpenFile, RefusedError, names_in, open_regular, read_small

CONFIG = "config.json"
_PREPROCESSOR = "preprocessor_config.json"
# A second copy of the same weights in the publisher's own format.
_DUPLICATE_PREFIX = "consolidated"


def resolve_hf_folder(folder: Path) -> ModelFacts:
    """The facts of the checkpoint in ``folder``. Raises RefusedError."""
    names = names_in(folder)
    weights = _weight_names(names)
    if CONFIG not in names or not weights:
        raise RefusedError(reason(ReasonCode.SOURCE_NO_MODEL, path=str(folder)))
    config, config_size = _config(folder / CONFIG)
    vision = config.vision
    tokens = _image_tokens(folder, vision) if vision and _PREPROCESSOR in names else (None, None)
    files: list[ModelFile] = []
    parameters = weight_bytes = 0
    for name in weights:
        with open_regular(folder / name) as file:
            count, data = _measure(file)
            files.append(ModelFile(path=str(file.path), role=FileRole.WEIGHTS, size=file.size))
        parameters += count
        weight_bytes += data
    files.append(ModelFile(path=str(folder / CONFIG), role=FileRole.CONFIG, size=config_size))
    return ModelFacts(
        format=ModelFormat.SAFETENSORS,
        architecture=config.architecture,
        name=folder.name,
        files=tuple(files),
        capabilities=("chat", "vision") if vision else ("chat",),
        quantization=config.quantization,
        parameters=parameters,
        context_length=config.context_length,
        layers=config.layers,
        heads=config.heads,
        kv_heads=config.kv_heads,
        head_size=config.head_size,
        embedding_size=config.embedding_size,
        feed_forward_size=config.feed_forward_size,
        vocabulary_size=config.vocabulary_size,
        weight_bytes=weight_bytes,
        image_tokens_min=tokens[0],
        image_tokens_max=tokens[1],
        vision=vision,
    )


def _weight_names(names: list[str]) -> list[str]:
    """Weight files, without the second copy that some publishers add and without adapters."""
    weights = [name for name in names if name.endswith(".safetensors") and not name.startswith("adapter_")]
    return [name for name in weights if not name.startswith(_DUPLICATE_PREFIX)] or weights


def _config(path: Path) -> tuple[HfConfig, int]:
    """The configuration and its file's size."""
    raw = read_small(path, MAX_CONFIG)
    if raw is None:
        raise RefusedError(reason(ReasonCode.CONFIG_INVALID, path=str(path), detail="it is too long"))
    try:
        return parse_config(raw), len(raw)
    except ConfigError as error:
        raise RefusedError(reason(ReasonCode.CONFIG_INVALID, path=str(path), detail=str(error))) from error


def _measure(file: OpenFile) -> tuple[int, int]:
    """Parameters and bytes of tensor data of one safetensors file."""
    corrupt = ReasonCode.SAFETENSORS_CORRUPT
    length = int.from_bytes(file.read(0, 8), "little")
    data = file.size - 8 - length
    if length > MAX_SAFETENSORS_HEADER or data < 0:
        raise RefusedError(reason(corrupt, path=str(file.path), detail="its header is cut off"))
    try:
        return parse_safetensors_header(file.read(8, length), data), data
    except ConfigError as error:
        raise RefusedError(reason(corrupt, path=str(file.path), detail=str(error))) from error


def _image_tokens(folder: Path, vision: VisionFacts) -> tuple[int | None, int | None]:
    """Bounds on the tokens of one picture. A preprocessor that cannot be read only leaves them unknown."""
    side = (vision.patch_size or 0) * (vision.merge_size or 1)
    try:
        raw = read_small(folder / _PREPROCESSOR, MAX_CONFIG)
        pixels = parse_image_pixels(raw) if raw is not None and side else (None, None)
    except (ConfigError, RefusedError):
        return None, None
    # Edges are lengths in some processors; a picture of fewer pixels than one token has been misread.
    smallest, largest = (count // side**2 if count and side and count >= side**2 else None for count in pixels)
    return smallest, largest
