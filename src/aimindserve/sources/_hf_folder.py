"""A Hugging Face or Mistral checkpoint in a folder of this machine."""

from pathlib import Path

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile
from aimindserve.domain.hf_json import MAX_CONFIG, ConfigError
from aimindserve.domain.hf_model import CONFIG, MODULES, PARAMS, READ, Checkpoint, checkpoint_model
from aimindserve.domain.hf_weights import MAX_SAFETENSORS_HEADER, Weights, join_weights, parse_safetensors_header
from aimindserve.domain.hub_files import RepositoryFile, checkpoint_plan
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.sources._base import OpenFile, RefusedError, names_in, open_regular, read_small


def resolve_hf_folder(folder: Path) -> ModelFacts:
    """The facts of the checkpoint in ``folder``. Raises RefusedError."""
    names = names_in(folder)
    plan = checkpoint_plan([RepositoryFile(name, 0) for name in names], str(folder))
    if isinstance(plan, Reason):
        missing = plan.code is ReasonCode.REPOSITORY_NO_MODEL
        raise RefusedError(reason(ReasonCode.SOURCE_NO_MODEL, path=str(folder)) if missing else plan)
    described = PARAMS if plan.mistral else CONFIG
    texts = _texts(folder, names, described)
    checkpoint = Checkpoint(texts, modules=MODULES in names)
    try:
        config = checkpoint.config()
    except ConfigError as error:
        path = str(folder / described)
        raise RefusedError(reason(ReasonCode.CONFIG_INVALID, path=path, detail=str(error))) from error
    files: list[ModelFile] = []
    weights: list[Weights] = []
    for planned in plan.weights:
        with open_regular(folder / planned.name) as file:
            weights.append(_measure(file, config.bits))
            files.append(ModelFile(path=str(file.path), role=FileRole.WEIGHTS, size=file.size))
    files.append(ModelFile(path=str(folder / described), role=FileRole.CONFIG, size=len(texts[described])))
    code = tuple(name for name in names if name.endswith(".py")) if config.code else ()
    return checkpoint_model(checkpoint, config, folder.name, files, join_weights(weights), code_files=code)


def _texts(folder: Path, names: list[str], described: str) -> dict[str, bytes]:
    """The small files that facts come from. All but the one that describes the model may be unreadable."""
    texts: dict[str, bytes] = {}
    for name in READ:
        if name not in names:
            continue
        try:
            raw = read_small(folder / name, MAX_CONFIG)
        except RefusedError:
            if name == described:
                raise
            continue
        if raw is not None:
            texts[name] = raw
        elif name == described:
            path = str(folder / name)
            raise RefusedError(reason(ReasonCode.CONFIG_INVALID, path=path, detail="it is too long"))
    return texts


def _measure(file: OpenFile, bits: int | None) -> Weights:
    """The weights in one safetensors file."""
    corrupt = ReasonCode.SAFETENSORS_CORRUPT
    length = int.from_bytes(file.read(0, 8), "little")
    data = file.size - 8 - length
    if length > MAX_SAFETENSORS_HEADER or data < 0:
        raise RefusedError(reason(corrupt, path=str(file.path), detail="its header is cut off"))
    try:
        return parse_safetensors_header(file.read(8, length), data, bits)
    except ConfigError as error:
        raise RefusedError(reason(corrupt, path=str(file.path), detail=str(error))) from error
