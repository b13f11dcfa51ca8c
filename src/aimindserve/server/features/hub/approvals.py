"""Approvals of code that comes with a model: one commit each."""

from sqlalchemy import select

from aimindserve.domain.facts import Hub
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views_hub import CodeApprovalRequest, CodeApprovalView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import CodeApprovalRow
from aimindserve.server.errors import refuse


async def every(context: ServerContext) -> tuple[CodeApprovalView, ...]:
    """All approvals, newest first."""
    query = select(CodeApprovalRow).order_by(CodeApprovalRow.at.desc(), CodeApprovalRow.repository)
    async with context.database.read() as session:
        return tuple(_view(row) for row in await session.scalars(query))


async def approve(context: ServerContext, wish: CodeApprovalRequest, actor: str) -> CodeApprovalView:
    """Stores the approval, or answers with the one that is there."""
    async with context.database.unit_of_work(actor) as work:
        row = await _existing(work, wish)
        if row is None:
            row = CodeApprovalRow(
                hub=wish.hub, repository=wish.repository, revision=wish.revision, actor=actor, at=work.now
            )
            work.session.add(row)
            work.record("code.approved", subject=_subject(wish), revision=wish.revision)
        return _view(row)


async def withdraw(context: ServerContext, wish: CodeApprovalRequest, actor: str) -> None:
    """Removes the approval.

    Raises:
        RefusedError: ``not_found``.
    """
    async with context.database.unit_of_work(actor) as work:
        row = await _existing(work, wish)
        if row is None:
            refuse(ReasonCode.NOT_FOUND, kind="approval", name=_subject(wish))
        await work.session.delete(row)
        work.record("code.approval_withdrawn", subject=_subject(wish), revision=wish.revision)


async def _existing(work: UnitOfWork, wish: CodeApprovalRequest) -> CodeApprovalRow | None:
    return await work.session.get(CodeApprovalRow, (wish.hub, wish.repository, wish.revision))


def _subject(wish: CodeApprovalRequest) -> str:
    """Events' subjects are short; the commit is in the payload."""
    return f"{wish.hub}://{wish.repository}"[:128]


def _view(row: CodeApprovalRow) -> CodeApprovalView:
    hub: Hub = "ms" if row.hub == "ms" else "hf"
    return CodeApprovalView(hub=hub, repository=row.repository, revision=row.revision, actor=row.actor, at=row.at)
