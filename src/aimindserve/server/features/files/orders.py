"""Orders about model files. Each is one transaction with its event; the nodes do the rest."""

from sqlalchemy import select

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.file_actions import FileAction, WantedFiles
from aimindserve.domain.files import StoredModel, files_key
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views_files import DownloadRequest, OrderedView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import ModelOrderRow, NodeRow
from aimindserve.server.errors import RefusedError, refuse
from aimindserve.server.features.files.views import Shelf, actions_on, look_at_files, ordered_model
from aimindserve.server.model_facts import read_facts
from aimindserve.server.reconcile.replicas import raise_desired_revision

_ACTIONS = {
    FileAction.PAUSE: WantedFiles.PAUSED,
    FileAction.RESUME: WantedFiles.STORED,
    FileAction.RETRY: WantedFiles.STORED,
}


async def download(context: ServerContext, body: DownloadRequest, actor: str) -> OrderedView:
    """Orders a model's files onto nodes; all of them when none is named.

    Raises:
        RefusedError: no such node, or the source has no model.
    """
    spec = DeploymentSpec(name="download", source=body.source, projector=body.projector)
    facts = await read_facts(context, spec)
    if isinstance(facts, Reason):
        raise RefusedError(facts)
    async with context.database.unit_of_work(actor) as work:
        nodes = list(await work.session.scalars(select(NodeRow).order_by(NodeRow.id)))
        known = {name for node in nodes for name in (node.id, node.hostname)}
        for wish in body.nodes:
            if wish not in known:
                refuse(ReasonCode.NODE_UNKNOWN, wish=wish)
        for node in nodes:
            if not body.nodes or {node.id, node.hostname} & set(body.nodes):
                await order(work, node.id, body.source, facts)
    return OrderedView(keys=(files_key(facts, body.source),))


async def order(work: UnitOfWork, node_id: str, source: str, facts: ModelFacts, folder: str | None = None) -> str:
    """Stores one order (``folder``: from where the files are brought) with its event. Returns its key."""
    key = files_key(facts, source)
    row = await work.session.get(ModelOrderRow, (node_id, key))
    if row is None:
        row = ModelOrderRow(node_id=node_id, key=key, attempt=0, created_at=work.now)
        work.session.add(row)
    row.source, row.facts, row.wanted, row.folder = source, facts, WantedFiles.STORED, folder
    row.attempt, row.updated_at = row.attempt + 1, work.now
    await work.session.flush()
    await raise_desired_revision(work, node_id)
    work.record("model.ordered", subject=source[:128], node=node_id, key=key)
    return key


async def change(context: ServerContext, node_id: str, key: str, action: FileAction, actor: str) -> None:
    """Pause, resume or retry.

    Raises:
        RefusedError: nobody ordered these files, or the action makes no sense now.
    """
    shelf = await look_at_files(context)
    model = _find(context, shelf, node_id, key)
    _require(model, shelf, node_id, action)
    async with context.database.unit_of_work(actor) as work:
        row = await work.session.get(ModelOrderRow, (node_id, key))
        if row is None:
            refuse(ReasonCode.NOT_FOUND, kind="file", name=key)
        row.wanted, row.updated_at = _ACTIONS[action], work.now
        row.attempt += action is FileAction.RETRY
        await work.session.flush()
        await raise_desired_revision(work, node_id)
        work.record(f"model.{action}_ordered", subject=row.source[:128], node=node_id, key=key)


async def remove(context: ServerContext, node_id: str, key: str, actor: str) -> None:
    """Delete from the node's store, or forget a local path.

    Raises:
        RefusedError: there are no such files, or a deployment needs them.
    """
    shelf = await look_at_files(context)
    model = _find(context, shelf, node_id, key)
    local = model.facts.origin is None
    _require(model, shelf, node_id, FileAction.FORGET if local else FileAction.DELETE)
    async with context.database.unit_of_work(actor) as work:
        row = await work.session.get(ModelOrderRow, (node_id, key))
        if local:
            await work.session.delete(row)
            work.record("model.forgotten", subject=model.source[:128], node=node_id, key=key)
            return
        if row is None:
            row = ModelOrderRow(node_id=node_id, key=key, source=model.source, facts=model.facts, created_at=work.now)
            work.session.add(row)
        row.wanted, row.updated_at = WantedFiles.DELETED, work.now
        await work.session.flush()
        await raise_desired_revision(work, node_id)
        work.record("model.delete_ordered", subject=model.source[:128], node=node_id, key=key)


def _find(context: ServerContext, shelf: Shelf, node_id: str, key: str) -> StoredModel:
    seen, order = context.board.model(node_id, key), shelf.orders.get((node_id, key))
    found = seen or (ordered_model(order) if order else None)
    return found or refuse(ReasonCode.NOT_FOUND, kind="file", name=key)


def _require(model: StoredModel, shelf: Shelf, node_id: str, action: FileAction) -> None:
    order, used_by = shelf.orders.get((node_id, model.key)), shelf.users.get(model.key, ())
    wanted = WantedFiles(order.wanted) if order else None
    if action in actions_on(model, wanted, used=bool(used_by)):
        return
    if used_by and action in (FileAction.DELETE, FileAction.PAUSE):
        refuse(ReasonCode.FILES_IN_USE, name=model.facts.name, deployments=", ".join(used_by))
    refuse(ReasonCode.ACTION_NOT_ALLOWED, name=model.facts.name, action=action, phase=model.state)
