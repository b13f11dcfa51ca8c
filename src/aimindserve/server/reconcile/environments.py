"""The environments reconciler: ends orders to remove that were carried out, and tells what became of installations."""

from dataclasses import dataclass

from sqlalchemy import delete, select

from aimindserve.domain.environments import EnvironmentState, Variant, WantedEnvironment, WantedState
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EnvironmentOrderRow, NodeRow

# Stages between these are progress, which the page reads while it is shown.
_TOLD = {
    EnvironmentState.FETCHING: "engine.installing",
    EnvironmentState.READY: "engine.installed",
    EnvironmentState.FAILED: "engine.failed",
}


@dataclass(frozen=True, slots=True)
class EnvironmentNews:
    """An environment whose state has changed since it was last told."""

    node_id: str
    key: str
    kind: str
    reason: str | None


def wanted_environment(order: EnvironmentOrderRow) -> WantedEnvironment:
    """An order as the node is told of it."""
    return WantedEnvironment(
        engine=order.engine,
        version=order.version,
        variant=Variant(order.variant) if order.variant else None,
        program=order.program,
        wheels=order.wheels,
        attempt=order.attempt,
    )


def news_of(context: ServerContext) -> list[EnvironmentNews]:
    """What is to be told. An environment that is seen for the first time and is ready was there before."""
    found: list[EnvironmentNews] = []
    told = context.board.told_environments
    for node_id, report in context.board.reports.items():
        for one in report.environments:
            before = told.get((node_id, one.key))
            told[node_id, one.key] = one.state
            news = before is not None or one.state is not EnvironmentState.READY
            if news and before is not one.state and one.state in _TOLD:
                code = one.reason.code if one.reason else None
                found.append(EnvironmentNews(node_id, one.key, _TOLD[one.state], code))
    return found


async def reconcile_environments(context: ServerContext) -> None:
    """One round. Twice is as good as once."""
    news = news_of(context)
    async with context.database.read() as session:
        query = (
            select(EnvironmentOrderRow, NodeRow)
            .join(NodeRow, NodeRow.id == EnvironmentOrderRow.node_id)
            .where(EnvironmentOrderRow.wanted == WantedState.REMOVED)
        )
        removed = [(order, node) for order, node in (await session.execute(query)).all()]
    gone = [order for order, node in removed if _is_gone(context, order, node)]
    if not news and not gone:
        return
    async with context.database.unit_of_work() as work:
        for one in news:
            work.record(one.kind, subject=one.key, node=one.node_id, reason=one.reason)
        for order in gone:
            done = delete(EnvironmentOrderRow).where(
                EnvironmentOrderRow.node_id == order.node_id,
                EnvironmentOrderRow.key == order.key,
                EnvironmentOrderRow.wanted == WantedState.REMOVED,
            )
            await work.session.execute(done.execution_options(synchronize_session=False))
            work.record("engine.removed", subject=order.key, node=order.node_id)


def _is_gone(context: ServerContext, order: EnvironmentOrderRow, node: NodeRow) -> bool:
    """Whether the node acts on everything that was ordered, and does not list the environment. A report that was made
    before the node heard of the order does not count, whatever it lists."""
    report = context.board.reports.get(order.node_id)
    if report is None or report.acked_revision < node.desired_revision:
        return False
    return all(one.key != order.key for one in report.environments)
