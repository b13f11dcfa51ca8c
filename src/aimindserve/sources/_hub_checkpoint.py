"""Checkpoints of a repository (safetensors): which files an engine loads, and the facts from their headers."""

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile
from aimindserve.domain.hf_json import MAX_CONFIG, ConfigError
from aimindserve.domain.hf_model import CONFIG, MODULES, PARAMS, READ, Checkpoint, checkpoint_model
from aimindserve.domain.hf_weights import join_weights
from aimindserve.domain.hub_files import CheckpointPlan, checkpoint_plan, python_files
from aimindserve.domain.hubs import HubChoice
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.sources._base import RefusedError
from aimindserve.sources._hub import Snapshot, at_once, read_safetensors, read_text

ENGINE = "vllm"


def checkpoint_facts(snapshot: Snapshot) -> ModelFacts:
    """The facts of the checkpoint. Raises RefusedError."""
    plan = checkpoint_plan(snapshot.files, snapshot.repository)
    if isinstance(plan, Reason):
        raise RefusedError(plan)
    described = PARAMS if plan.mistral else CONFIG
    checkpoint = _read(snapshot, described)
    try:
        config = checkpoint.config()
    except ConfigError as error:
        raise RefusedError(reason(ReasonCode.CONFIG_INVALID, path=described, detail=str(error))) from error
    weights = at_once(lambda file: read_safetensors(snapshot, file, config.bits), plan.weights)
    return checkpoint_model(
        checkpoint,
        config,
        snapshot.repository.rpartition("/")[2],
        _planned(snapshot, plan, needs_code=bool(config.code)),
        join_weights(weights),
        snapshot.origin,
        code_files=_code(snapshot, config.code),
        license=snapshot.license,
        gated=snapshot.gated,
    )


def list_checkpoint(snapshot: Snapshot, facts: ModelFacts) -> HubChoice:
    """The one choice of a repository with a checkpoint."""
    return HubChoice(
        quantization=None,
        source=snapshot.source(),
        engine=ENGINE,
        files=tuple(file.path for file in facts.files),
        size=sum(file.size for file in facts.files),
        default=True,
        facts=facts,
    )


def _read(snapshot: Snapshot, described: str) -> Checkpoint:
    """The small files. One that is too long or empty is passed over, unless it describes the model."""
    there = {file.path: file for file in snapshot.files}
    wanted = [there[name] for name in READ if name in there and 0 < there[name].size <= MAX_CONFIG]
    if all(file.path != described for file in wanted):
        raise RefusedError(reason(ReasonCode.CONFIG_INVALID, path=described, detail="it is empty or too long"))
    texts = at_once(lambda file: read_text(snapshot, file), wanted)
    named = dict(zip((file.path for file in wanted), texts, strict=True))
    if described == PARAMS:
        named.pop(CONFIG, None)
    return Checkpoint(named, modules=MODULES in there)


def _planned(snapshot: Snapshot, plan: CheckpointPlan, *, needs_code: bool) -> tuple[ModelFile, ...]:
    weights = [
        ModelFile(path=file.path, role=FileRole.WEIGHTS, size=file.size, digest=file.digest) for file in plan.weights
    ]
    others = list(plan.configs)
    if needs_code:
        code = set(python_files(snapshot.files))
        others += [file for file in snapshot.files if file.path in code]
    configs = [ModelFile(path=file.path, role=FileRole.CONFIG, size=file.size, digest=file.digest) for file in others]
    return (*weights, *configs)


def _code(snapshot: Snapshot, named: tuple[str, ...]) -> tuple[str, ...]:
    """All Python files at the top, since those that are named import others; and those of other repositories."""
    if not named:
        return ()
    elsewhere = [name for name in named if "--" in name]
    return (*python_files(snapshot.files), *elsewhere) or named
