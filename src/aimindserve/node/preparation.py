"""From an order to a running engine process."""

import asyncio
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import DesiredReplica
from aimindserve.engines._base import Engine, Launch, LaunchOrder, Machine
from aimindserve.engines._registry import choose_engine
from aimindserve.node.context import NodeContext
from aimindserve.node.folder import ReplicaFolder
from aimindserve.node.launch import base_environment, spawn
from aimindserve.node.ledger import LaunchPlan
from aimindserve.node.locks import LockBusyError, release, take_all
from aimindserve.node.processes import REPLICA_VARIABLE, ProcessId
from aimindserve.node.weights import check_room, check_weights


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there will be no engine this time."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a launch needs and that was checked."""

    desired: DesiredReplica
    engine: Engine
    install: EngineInstall


async def prepare(desired: DesiredReplica, context: NodeContext, mark: Callable[[str], None]) -> Prepared | Refusal:
    """Check disk, model files, engine program and parameters; ``mark`` is told each stage that was passed."""
    wrong = await asyncio.to_thread(check_room, context.config.replicas)
    wrong = wrong or await asyncio.to_thread(check_weights, desired.facts)
    if wrong:
        return Refusal(wrong)
    mark("files")
    engine = choose_engine(desired.engine, desired.facts)
    if isinstance(engine, Reason):
        return Refusal(engine)
    programs = await context.environments.of(engine.name)
    if isinstance(programs, Reason):
        return Refusal(programs)
    machine = _machine(desired, context)
    install = engine.choose_install(desired.facts, programs, desired.engine_version, machine.device)
    if isinstance(install, Reason):
        return Refusal(install)
    plan = engine.plan(desired.facts, desired.parameters, desired.env, machine, install)
    if plan.refusals:
        return Refusal(plan.refusals[0])
    mark("environment")
    return Prepared(desired, engine, install)


def _machine(desired: DesiredReplica, context: NodeContext) -> Machine:
    """The machine with what placement heeded, so that the same plan is found."""
    return replace(context.machine(desired.claims), lessons=desired.lessons)


async def launch_engine(
    prepared: Prepared, folder: ReplicaFolder, context: NodeContext, attempt: int
) -> tuple[ProcessId, LaunchPlan] | Refusal:
    """Take the locks, write the plan, start the shim.

    Raises:
        OSError: a file cannot be written, or no process can be started.
    """
    return await asyncio.to_thread(_launch, prepared, folder, context, attempt)


def _launch(
    prepared: Prepared, folder: ReplicaFolder, context: NodeContext, attempt: int
) -> tuple[ProcessId, LaunchPlan] | Refusal:
    desired, config = prepared.desired, context.config
    try:
        locks = take_all(config.locks, folder.replica_id, desired.claims)
    except LockBusyError as busy:
        return Refusal(reason(ReasonCode.DEVICE_BUSY, device=busy.what or folder.replica_id))
    try:
        log = folder.open_attempt(attempt)
        launch, plan = _plan(prepared, folder, context, attempt)
        key = secrets.token_urlsafe(32)
        folder.write_launch(plan, key)
        return _spawn(folder, log, _with_key(launch, key), plan, locks)
    finally:
        release(locks)


def _with_key(launch: Launch, key: str) -> Launch:
    """With the key in the environment, for an engine that takes it from there."""
    if launch.key_variable is None:
        return launch
    return replace(launch, env={**launch.env, launch.key_variable: key})


def _plan(prepared: Prepared, folder: ReplicaFolder, context: NodeContext, attempt: int) -> tuple[Launch, LaunchPlan]:
    desired = prepared.desired
    order = LaunchOrder(
        facts=desired.facts,
        parameters=desired.parameters,
        env=desired.env,
        machine=_machine(desired, context),
        install=prepared.install,
        alias=desired.model,
        port=context.config.choose_port(),
        key_file=str(folder.key_path),
    )
    launch = prepared.engine.launch(order)
    return launch, LaunchPlan(
        replica_id=desired.id,
        deployment_id=desired.deployment_id,
        generation=desired.generation,
        attempt=attempt,
        boot_id=context.boot_id,
        engine=prepared.engine.name,
        argv=launch.argv,
        install=prepared.install,
        alias=order.alias,
        host=order.host,
        port=order.port,
        wants_key=launch.wants_key,
        devices=tuple(claim.device_id for claim in desired.claims),
        log_start=folder.log_path(attempt).stat().st_size,
        capabilities=_tried(prepared),
    )


def _tried(prepared: Prepared) -> tuple[str, ...]:
    """What the engine should be able to do: the model's capabilities, without sight where it was told to see none."""
    facts, parameters = prepared.desired.facts, prepared.desired.parameters
    blind = prepared.engine.pictures_per_request(facts, parameters) == 0
    return tuple(one for one in facts.capabilities if not (blind and one == "vision"))


def _spawn(
    folder: ReplicaFolder, log: Path, launch: Launch, plan: LaunchPlan, locks: Sequence[int]
) -> tuple[ProcessId, LaunchPlan] | Refusal:
    outcome = spawn(
        ledger=folder.ledger_path,
        plan=folder.plan_path,
        log=log,
        argv=launch.argv,
        environment={**base_environment(os.environ), **launch.env, REPLICA_VARIABLE: folder.replica_id},
        locks=locks,
    )
    return (outcome, plan) if isinstance(outcome, ProcessId) else Refusal(outcome)
