"""The files reconciler: ends orders to delete that were carried out, and tells what became of downloads."""

from dataclasses import dataclass

from sqlalchemy import delete, select

from aimindserve.domain.file_actions import WantedFiles
from aimindserve.domain.files import ModelState
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import ModelOrderRow, NodeRow

_TOLD = {
    ModelState.QUEUED: "model.queued",
    ModelState.DOWNLOADING: "model.downloading",
    ModelState.PAUSED: "model.paused",
    ModelState.READY: "model.downloaded",
    ModelState.FAILED: "model.failed",
}


@dataclass(frozen=True, slots=True)
class ModelNews:
    """A model whose state has changed since it was last told."""

    node_id: str
    key: str
    source: str
    kind: str
    reason: str | None


def news_of(context: ServerContext) -> list[ModelNews]:
    """What is to be told. A model that is seen for the first time and is whole was there before."""
    found: list[ModelNews] = []
    for node_id, report in context.board.reports.items():
        for model in report.models:
            before = context.board.told.get((node_id, model.key))
            context.board.told[node_id, model.key] = model.state
            news = before is not None or model.state is not ModelState.READY
            if news and before is not model.state:
                code = model.reason.code if model.reason else None
                found.append(ModelNews(node_id, model.key, model.source, _TOLD[model.state], code))
    return found


def is_carried_out(order: ModelOrderRow, desired: int, acked: int, listed: set[str]) -> bool:
    """Whether an order to delete has been: its node acts on everything that was ordered, and does not list the files.

    A report that was made before the node heard of the order does not count, whatever it lists.
    """
    return order.wanted == WantedFiles.DELETED and acked >= desired and order.key not in listed


async def reconcile_files(context: ServerContext) -> None:
    """One round. Twice is as good as once."""
    news = news_of(context)
    async with context.database.read() as session:
        query = select(ModelOrderRow, NodeRow).join(NodeRow, NodeRow.id == ModelOrderRow.node_id)
        rows = [(order, node) for order, node in (await session.execute(query)).all()]
    done = [order for order, node in rows if _is_done(context, order, node)]
    if not news and not done:
        return
    async with context.database.unit_of_work() as work:
        for one in news:
            work.record(one.kind, subject=one.source[:128], node=one.node_id, key=one.key, reason=one.reason)
        for order in done:
            gone = delete(ModelOrderRow).where(
                ModelOrderRow.node_id == order.node_id,
                ModelOrderRow.key == order.key,
                ModelOrderRow.wanted == WantedFiles.DELETED,
            )
            await work.session.execute(gone.execution_options(synchronize_session=False))
            work.record("model.deleted", subject=order.source[:128], node=order.node_id, key=order.key)


def _is_done(context: ServerContext, order: ModelOrderRow, node: NodeRow) -> bool:
    report = context.board.reports.get(order.node_id)
    if report is None:
        return False
    listed = {model.key for model in report.models}
    return is_carried_out(order, node.desired_revision, report.acked_revision, listed)
