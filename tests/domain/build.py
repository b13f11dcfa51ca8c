"""Domain values for tests, with what does not matter filled in."""

from typing import Any

from aimindserve.domain.facts import ModelFacts, ModelFormat
from aimindserve.domain.nodes import Device, DeviceKind
from aimindserve.domain.replicas import (
    Assignment,
    Claim,
    Deployment,
    Replica,
    ReplicaObservation,
    ReplicaState,
    Wanted,
)
from aimindserve.domain.rooms import DeviceSpace
from aimindserve.domain.specs import DeploymentSpec

FACTS = ModelFacts(format=ModelFormat.GGUF, architecture="qwen2vl", name="m", files=())


def spec(**values: Any) -> DeploymentSpec:
    return DeploymentSpec(**{"name": "m", "source": "demo://tiny-vlm", **values})


def deployment(*, replicas: int = 1, wanted: Wanted = Wanted.RUNNING, generation: int = 1) -> Deployment:
    return Deployment(id="d", spec=spec(replicas=replicas), wanted=wanted, generation=generation, facts=FACTS)


def replica(
    identity: str = "r",
    *,
    index: int = 0,
    generation: int = 1,
    node: str | None = "n",
    state: ReplicaState | None = None,
    claims: tuple[Claim, ...] = (),
    **values: Any,
) -> Replica:
    seen = ReplicaObservation(id=identity, state=state, **values.pop("seen", {})) if state else None
    assignment = Assignment(node_id=node, claims=claims, engine="llama.cpp") if node else None
    return Replica(
        id=identity,
        deployment_id="d",
        generation=generation,
        index=index,
        spec=spec(),
        facts=FACTS,
        created_at=0.0,
        assignment=assignment,
        observation=seen,
        **values,
    )


def device(identity: str = "cpu", *, kind: DeviceKind = DeviceKind.CPU, size: int = 100, shared: bool = True) -> Device:
    sizes = {"memory_total": size, "memory_free": size, "allocatable": size}
    return Device(id=identity, kind=kind, name=identity, shared=shared, **sizes)


def space(identity: str = "cpu", *, node: str = "n", kind: DeviceKind = DeviceKind.CPU, **values: Any) -> DeviceSpace:
    size, shared = values.pop("size", 100), values.pop("shared", True)
    return DeviceSpace(node_id=node, device=device(identity, kind=kind, size=size, shared=shared), **values)
