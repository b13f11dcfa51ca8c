"""What administrators say of machines. Each change is one transaction with its event; the reconcilers do the rest."""

from collections.abc import Mapping

from sqlalchemy import or_, select

from aimindserve.domain.nodes import labels_text
from aimindserve.domain.reasons import ReasonCode
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import NodeRow
from aimindserve.server.errors import refuse


async def label(context: ServerContext, node: str, labels: Mapping[str, str | None], actor: str) -> str:
    """Gives ``labels`` to a machine, or takes back those that are None. Returns its id.

    Raises:
        RefusedError: there is no such machine, or several have that host name.
    """
    async with context.database.unit_of_work(actor) as work:
        row = await _find(work, node)
        kept = {name: value for name, value in row.labels.items() if name not in labels}
        given = {name: value for name, value in labels.items() if value is not None}
        if (new := kept | given) != row.labels:
            row.labels = new
            work.record("node.labelled", subject=row.id, hostname=row.hostname, labels=labels_text(new))
        return row.id


async def drain(context: ServerContext, node: str, actor: str) -> str:
    """No new replicas for a machine. Returns its id.

    Raises:
        RefusedError: there is no such machine, or several have that host name.
    """
    async with context.database.unit_of_work(actor) as work:
        row = await _find(work, node)
        if row.drained_at is None:
            row.drained_at = work.now
            work.record("node.drained", subject=row.id, hostname=row.hostname)
        return row.id


async def undrain(context: ServerContext, node: str, actor: str) -> str:
    """A machine may take replicas again. Returns its id.

    Raises:
        RefusedError: there is no such machine, or several have that host name.
    """
    async with context.database.unit_of_work(actor) as work:
        row = await _find(work, node)
        if row.drained_at is not None:
            row.drained_at = None
            work.record("node.undrained", subject=row.id, hostname=row.hostname)
        return row.id


async def _find(work: UnitOfWork, node: str) -> NodeRow:
    """By id, else by the host name where only one has it."""
    rows = list(await work.session.scalars(select(NodeRow).where(or_(NodeRow.id == node, NodeRow.hostname == node))))
    exact = [row for row in rows if row.id == node] or rows
    if len(exact) != 1:
        refuse(ReasonCode.NODE_UNKNOWN, wish=node)
    return exact[0]
