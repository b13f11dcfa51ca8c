"""The guide's deployments, machines by their cards, and what becomes of them: shared by the tests of the fit report."""

from typing import Any

from tests.domain.memory_models import (
    LLAMA_3_2,
    PHI_3_5,
    PIXTRAL,
    QWEN2_VL_2B_GGUF,
    QWEN2_VL_7B,
)

from aimindserve.domain.cards import machine_with, parse_card
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_changes import Tenant
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.replicas import Assignment, Claim, Replica
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.units import MIB
from aimindserve.domain.views_fit import AlternativeView, FitReport
from aimindserve.engines._registry import with_assumed_engines
from aimindserve.server.fit_trials import Stage, try_places


def spec(name: str, *parameters: str, **more: Any) -> DeploymentSpec:
    return DeploymentSpec(name=name, source=f"hf://org/{name}", parameters=parameters, **more)


# The guide's deployments with their parameters, in its order.
GUIDE: tuple[tuple[DeploymentSpec, ModelFacts], ...] = (
    (spec("llama", "--enforce-eager", "--max-num-seqs=16", "--max-model-len=8192"), LLAMA_3_2),
    (spec("qwen"), QWEN2_VL_7B),
    (spec("pixtral", "--tokenizer-mode=mistral", "--limit-mm-per-prompt=image=4"), PIXTRAL),
    (spec("phi", "--trust-remote-code"), PHI_3_5),
    (spec("gguf"), QWEN2_VL_2B_GGUF),
)
BY_NAME = {one.name: (one, facts) for one, facts in GUIDE}


def machine(*cards: str, node_id: str = "declared") -> NodeFacts:
    return with_assumed_engines(machine_with([parse_card(card) for card in cards], (), node_id))


def deployed(stage: Stage, one: DeploymentSpec, facts: ModelFacts) -> Stage:
    """The stage once the deployment runs there."""
    trial = try_places(one, facts, stage.fleet(), None)
    assert trial.refused is None
    made = [
        Replica(
            id=f"{one.name}-{index}", deployment_id=one.name, generation=1, index=index, spec=one, facts=facts,
            created_at=0.0, assignment=placed.assignment,
        )
        for index, (placed, _) in enumerate(trial.placed)
    ]  # fmt: skip
    claimed = sum(claim.bytes for replica in made if replica.assignment for claim in replica.assignment.claims)
    return Stage(
        nodes=stage.nodes,
        replicas=(*stage.replicas, *made),
        tenants=(*stage.tenants, Tenant(one.name, claimed)),
        names={**stage.names, one.name: one.name},
    )


def after(stage: Stage, change: AlternativeView) -> Stage:
    """The stage once the change was made to the deployments that are there."""
    again = {one.deployment_id: one for one in stage.replicas if one.deployment_id in change.others}
    staying = [one for one in stage.replicas if one.deployment_id not in {*again, *change.stop}]
    tenants = tuple(one for one in stage.tenants if one.name not in {*again, *change.stop})
    made = Stage(stage.nodes, staying, tenants=tenants, names=stage.names)
    for name, replica in again.items():
        made = deployed(made, applied(replica.spec, change.others[name]), replica.facts)
    return made


def applied(one: DeploymentSpec, patch: dict[str, object]) -> DeploymentSpec:
    return DeploymentSpec.model_validate({**one.model_dump(), **patch})


def placed_of(found: FitReport) -> str:
    assert found.placement is not None, [why.message for why in found.reasons]
    return found.placement.level


def full_of(card: str, one: tuple[DeploymentSpec, ModelFacts], by: tuple[DeploymentSpec, ModelFacts]) -> Stage:
    """A machine whose card another model fills, so that nothing of ``one`` has room."""
    stage = Stage([machine(card)])
    (node,) = stage.nodes
    gpu = node.devices[1]
    claims = (Claim(device_id=gpu.id, bytes=gpu.allocatable - 64 * MIB),)
    held = Replica(
        id="big-0", deployment_id="big", generation=1, index=0, spec=by[0], facts=by[1], created_at=0.0,
        assignment=Assignment(node_id=node.node_id, claims=claims, engine="vllm"),
    )  # fmt: skip
    return Stage(stage.nodes, (held,), tenants=(Tenant("big", claims[0].bytes),), names={"big": "big"})
