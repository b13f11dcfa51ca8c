"""Changes to deployments. Each is one transaction with its event; the reconcilers do the rest.

Files are read before the transaction. Whoever changed the deployment in the meantime wins, and the change is decided
again."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import yaml
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from aimindserve.domain.changes import changes
from aimindserve.domain.lifecycle import Action, allowed_actions
from aimindserve.domain.manifest import written
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.replicas import Deployment, Wanted
from aimindserve.domain.scaling import awake
from aimindserve.domain.specs import DeploymentPatch, DeploymentSpec, same_model, same_program
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import AliasRow, DeploymentRow, ReplicaRow
from aimindserve.server.errors import refuse
from aimindserve.server.model_facts import accept
from aimindserve.server.reconcile.observe import World, deployment_of, look
from aimindserve.server.reconcile.starts import start_history
from aimindserve.server.tokens import new_id

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """A deployment and the world that it is part of."""

    deployment: Deployment
    world: World


async def world_of(context: ServerContext) -> World:
    """Everything as it is now, with how long earlier starts took of what is starting."""
    async with context.database.read() as session:
        world = await look(session)
        history = await start_history(session, (one for one in world.replicas if not one.is_ready))
    return replace(world, replicas=tuple(context.board.with_downloads(world.replicas)), starts=history)


async def find(context: ServerContext, name: str) -> Seen:
    """The deployment of this name.

    Raises:
        RefusedError: ``not_found``.
    """
    world = await world_of(context)
    found = next((deployment for deployment in world.deployments if deployment.spec.name == name), None)
    return Seen(found or refuse(ReasonCode.NOT_FOUND, kind="deployment", name=name), world)


async def manifest(context: ServerContext, names: Collection[str]) -> str:
    """The specs of these deployments (none named: all) as YAML.

    Raises:
        RefusedError: one of them is not there.
    """
    async with context.database.read() as session:
        rows = list(await session.scalars(select(DeploymentRow).order_by(DeploymentRow.name)))
    for missing in set(names) - {row.name for row in rows}:
        refuse(ReasonCode.NOT_FOUND, kind="deployment", name=missing)
    chosen = [written(row.spec) for row in rows if not names or row.name in names]
    return yaml.safe_dump({"deployments": chosen}, sort_keys=False, allow_unicode=True)


async def create(context: ServerContext, spec: DeploymentSpec, actor: str) -> None:
    """Stores a new deployment.

    Raises:
        RefusedError: the name is taken, the source has no model, or engine or parameters do not suit it.
    """
    facts = await accept(context, spec)
    try:
        async with context.database.unit_of_work(actor) as work:
            await _refuse_taken(work, spec.name)
            work.session.add(
                DeploymentRow(
                    id=new_id(),
                    name=spec.name,
                    spec=spec,
                    wanted=Wanted.RUNNING,
                    generation=1,
                    revision=1,
                    facts=facts,
                    created_at=work.now,
                    updated_at=work.now,
                )
            )
            work.record("deployment.created", subject=spec.name, deployment=spec.name, source=spec.source)
    except IntegrityError:
        refuse(ReasonCode.NAME_TAKEN, name=spec.name)


async def _refuse_taken(work: UnitOfWork, name: str) -> None:
    taken = select(DeploymentRow.id).where(DeploymentRow.name == name)
    if await work.session.scalar(taken) or await work.session.get(AliasRow, name):
        refuse(ReasonCode.NAME_TAKEN, name=name)


@dataclass(frozen=True, slots=True)
class Change:
    """What an action makes of a deployment. ``reread``: its source is read again first."""

    action: Action
    kind: str
    make: Callable[[Deployment], Deployment]
    reread: bool = False


def edited(patch: DeploymentPatch) -> Change:
    """The spec with the fields of ``patch``; a new generation when running replicas do not serve it."""

    def make(old: Deployment) -> Deployment:
        spec = patch.apply(old.spec)
        newer = not same_program(old.spec, spec)
        # What failed starts taught is about this model in this engine.
        relief = old.relief if same_model(old.spec, spec) else None
        return old.model_copy(update={"spec": spec, "generation": old.generation + newer, "relief": relief})

    program = patch.model_fields_set - {"replicas", "scaling"}
    return Change(Action.EDIT, "deployment.edited", make, reread=bool(program))


def scaled(replicas: int) -> Change:
    """Another number of replicas."""

    def make(old: Deployment) -> Deployment:
        return old.model_copy(update={"spec": old.spec.model_copy(update={"replicas": replicas})})

    return Change(Action.SCALE, "deployment.scaled", make)


STARTED = Change(
    Action.START,
    "deployment.started",
    lambda old: old.model_copy(update={"wanted": Wanted.RUNNING, "scale": awake(old.scale)}),
    reread=True,
)
STOPPED = Change(Action.STOP, "deployment.stopped", lambda old: old.model_copy(update={"wanted": Wanted.STOPPED}))
RESTARTED = Change(
    Action.RESTART,
    "deployment.restarted",
    lambda old: old.model_copy(update={"generation": old.generation + 1, "scale": awake(old.scale)}),
    reread=True,
)
# Asking for what is so already is no mistake.
_REPEATABLE = {Action.START: Wanted.RUNNING, Action.STOP: Wanted.STOPPED}


async def change(context: ServerContext, name: str, what: Change, actor: str, revision: int | None = None) -> None:
    """Applies ``what``. ``revision``: the one that the caller saw, None to change whatever is there.

    Raises:
        RefusedError: no such deployment, not allowed now, changed in the meantime, or the new spec is not acceptable.
    """
    for _ in range(_TRIES):
        if await _try_change(context, name, what, actor, revision):
            return
    refuse(ReasonCode.REVISION_CONFLICT, name=name)


async def _try_change(context: ServerContext, name: str, what: Change, actor: str, revision: int | None) -> bool:
    """False when the deployment was changed between reading and writing."""
    seen = await find(context, name)
    old = seen.deployment
    if revision is not None and old.revision != revision:
        refuse(ReasonCode.REVISION_CONFLICT, name=name)
    if _REPEATABLE.get(what.action) is old.wanted:
        return True
    if what.action not in allowed_actions(old):
        phase = seen.world.standing(old, context.clock())[0].phase
        refuse(ReasonCode.ACTION_NOT_ALLOWED, name=name, action=what.action, phase=phase)
    new = what.make(old)
    if what.reread:
        facts = await accept(context, new.spec)
        newer = facts != old.facts and new.generation == old.generation
        new = new.model_copy(update={"facts": facts, "generation": new.generation + newer})
    return new == old or await _store(context, what, old, new, actor)


async def _store(context: ServerContext, what: Change, old: Deployment, new: Deployment, actor: str) -> bool:
    async with context.database.unit_of_work(actor) as work:
        row = await _unchanged(work, old)
        if row is None:
            return False
        row.spec, row.facts, row.wanted, row.generation = new.spec, new.facts, new.wanted, new.generation
        row.relief, row.revision, row.updated_at = new.relief, old.revision + 1, work.now
        if new.scale != old.scale:
            row.scale = new.scale
        work.record(what.kind, subject=row.name, deployment=row.name, generation=new.generation, **_told(old, new))
    return True


def _told(old: Deployment, new: Deployment) -> dict[str, object]:
    """Which fields of the spec changed, and how. The environment stays out: it may hold secrets."""
    before, after = (spec.model_dump(mode="json") for spec in (old.spec, new.spec))
    return {"changes": changes(before, after, hidden={"env"}), "replicas": new.spec.replicas}


async def _unchanged(work: UnitOfWork, old: Deployment) -> DeploymentRow | None:
    query = select(DeploymentRow).where(DeploymentRow.id == old.id, DeploymentRow.revision == old.revision)
    return await work.session.scalar(query)


async def delete(context: ServerContext, name: str, actor: str, revision: int | None = None) -> None:
    """Asks for the end of a deployment. It goes at once when it has no replicas, else when the last has ended.

    Raises:
        RefusedError: no such deployment, or changed in the meantime.
    """
    async with context.database.unit_of_work(actor) as work:
        row = await work.session.scalar(select(DeploymentRow).where(DeploymentRow.name == name))
        if row is None:
            refuse(ReasonCode.NOT_FOUND, kind="deployment", name=name)
        if revision is not None and row.revision != revision:
            refuse(ReasonCode.REVISION_CONFLICT, name=name)
        if deployment_of(row).wanted is Wanted.DELETED:
            return
        count = select(func.count()).select_from(ReplicaRow).where(ReplicaRow.deployment_id == row.id)
        if not await work.session.scalar(count):
            await work.session.delete(row)
            work.record("deployment.deleted", subject=name, deployment=name)
            return
        row.wanted, row.revision, row.updated_at = Wanted.DELETED, row.revision + 1, work.now
        work.record("deployment.delete_ordered", subject=name, deployment=name)
