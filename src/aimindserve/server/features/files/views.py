"""Stored models in words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import select

from aimindserve.domain.file_actions import FileAction, WantedFiles, file_actions
from aimindserve.domain.files import ModelState, StoredModel, TransferProgress, files_key
from aimindserve.domain.reasons import Language
from aimindserve.domain.views_files import FilesView, ModelFilesView, StoredFileView, StoreView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow, ModelOrderRow, NodeRow
from aimindserve.server.errors import reason_view


@dataclass(frozen=True)
class Shelf:
    """One consistent look: orders by node and key, deployments that need a key, nodes."""

    orders: Mapping[tuple[str, str], ModelOrderRow]
    users: Mapping[str, tuple[str, ...]]
    nodes: tuple[NodeRow, ...]


async def look_at_files(context: ServerContext) -> Shelf:
    """What the database knows of model files."""
    async with context.database.read() as session:
        orders = list(await session.scalars(select(ModelOrderRow).order_by(ModelOrderRow.created_at)))
        deployments = list(await session.scalars(select(DeploymentRow).order_by(DeploymentRow.name)))
        nodes = tuple(await session.scalars(select(NodeRow).order_by(NodeRow.hostname, NodeRow.id)))
    users: dict[str, tuple[str, ...]] = {}
    for row in deployments:
        key = files_key(row.facts, row.spec.source) if row.facts else None
        if key is not None:
            users[key] = (*users.get(key, ()), row.name)
    return Shelf({(order.node_id, order.key): order for order in orders}, users, nodes)


async def files_view(context: ServerContext, language: Language) -> FilesView:
    """The answer of ``GET /files``."""
    shelf = await look_at_files(context)
    items: list[ModelFilesView] = []
    stores: list[StoreView] = []
    for node in shelf.nodes:
        report = context.board.reports.get(node.id)
        models = {model.key: model for model in (report.models if report else ())}
        for order in shelf.orders.values():
            if order.node_id == node.id and order.key not in models and order.wanted != WantedFiles.DELETED:
                models[order.key] = ordered_model(order)
        items += [_view(node, model, shelf, language) for model in models.values()]
        used = sum(model.stored_bytes for model in models.values() if model.facts.origin)
        free = report.disk_free if report else None
        path = str(context.paths.models)
        stores.append(StoreView(node_id=node.id, node=node.hostname, path=path, used=used, disk_free=free))
    items.sort(key=lambda item: (item.name, item.node, item.key))
    return FilesView(items=tuple(items), stores=tuple(stores))


def ordered_model(order: ModelOrderRow) -> StoredModel:
    """Files that a node has not told of yet: an order that is on its way, or a local path."""
    size = sum(file.size for file in order.facts.files)
    local = order.facts.origin is None
    return StoredModel(
        key=order.key,
        source=order.source,
        facts=order.facts,
        state=ModelState.READY if local else ModelState.QUEUED,
        progress=TransferProgress(done=size if local else 0, total=size),
        path=str(PurePosixPath(order.facts.files[0].path).parent) if local and order.facts.files else None,
    )


def _view(node: NodeRow, model: StoredModel, shelf: Shelf, language: Language) -> ModelFilesView:
    facts, order = model.facts, shelf.orders.get((node.id, model.key))
    used_by, local = shelf.users.get(model.key, ()), facts.origin is None
    wanted = WantedFiles(order.wanted) if order else None
    return ModelFilesView(
        node_id=node.id,
        node=node.hostname,
        key=model.key,
        kind="local" if local else "store",
        source=model.source,
        revision=facts.origin.revision if facts.origin else None,
        name=facts.name,
        architecture=facts.architecture,
        quantization=facts.quantization,
        capabilities=facts.capabilities,
        files=tuple(StoredFileView(path=file.path, role=file.role, size=file.size) for file in facts.files),
        size=model.progress.total,
        state=model.state,
        progress=model.progress,
        path=model.path,
        brought_from=order.folder if order else None,
        freed=model.stored_bytes,
        used_by=used_by,
        reasons=(reason_view(model.reason, language),) if model.reason else (),
        retry_at=model.retry_at,
        allowed_actions=actions_on(model, wanted, used=bool(used_by)),
    )


def actions_on(model: StoredModel, wanted: WantedFiles | None, *, used: bool) -> tuple[FileAction, ...]:
    """What may be done with a model's files now."""
    return file_actions(model.state, wanted, used=used, local=model.facts.origin is None)
