"""Changes to aliases. Each is one transaction with its event, and in force when it returns."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.aliases import AliasSpec
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.views_access import AliasView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import AliasRow, DeploymentRow
from aimindserve.server.errors import refuse


async def list_aliases(context: ServerContext) -> tuple[AliasView, ...]:
    """All aliases by name."""
    async with context.database.read() as session:
        rows = list(await session.scalars(select(AliasRow).order_by(AliasRow.name)))
        known = await _deployments(session)
    return tuple(_view(row, known) for row in rows)


async def put_alias(context: ServerContext, name: str, spec: AliasSpec, actor: str) -> AliasView:
    """Makes an alias, or changes where it leads.

    Raises:
        RefusedError: a deployment has the name, or there is none of those that it names.
    """
    async with context.database.unit_of_work(actor) as work:
        known = await _deployments(work.session)
        if name in known:
            refuse(ReasonCode.NAME_TAKEN, name=name)
        for target in spec.deployments:
            if target not in known:
                refuse(ReasonCode.NOT_FOUND, kind="deployment", name=target)
        row = await work.session.get(AliasRow, name)
        if row is None:
            row = AliasRow(name=name, spec=spec, created_at=work.now, updated_at=work.now)
            work.session.add(row)
            work.record("alias.created", subject=name, leads_to=_told(spec))
        elif row.spec != spec:
            row.spec, row.updated_at = spec, work.now
            work.record("alias.changed", subject=name, leads_to=_told(spec))
        view = _view(row, known)
    await context.in_force()
    return view


async def delete_alias(context: ServerContext, name: str, actor: str) -> None:
    """Deletes an alias.

    Raises:
        RefusedError: there is none of this name.
    """
    async with context.database.unit_of_work(actor) as work:
        row = await work.session.get(AliasRow, name)
        if row is None:
            refuse(ReasonCode.NOT_FOUND, kind="alias", name=name)
        await work.session.delete(row)
        work.record("alias.deleted", subject=name)
    await context.in_force()


async def _deployments(session: AsyncSession) -> frozenset[str]:
    return frozenset(await session.scalars(select(DeploymentRow.name)))


def _told(spec: AliasSpec) -> str:
    targets = ", ".join(f"{target.deployment}={target.weight}" for target in spec.targets)
    return f"{targets}; {spec.fallback}" if spec.fallback else targets


def _view(row: AliasRow, known: Collection[str]) -> AliasView:
    return AliasView(
        name=row.name,
        targets=row.spec.targets,
        fallback=row.spec.fallback,
        missing=tuple(name for name in row.spec.deployments if name not in known),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
