"""Reading a spec's source, and judging the spec by it, before it is stored."""

import asyncio

from sqlalchemy import select

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Reason
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import NodeRow
from aimindserve.server.errors import RefusedError
from aimindserve.server.hub_access import hub_access
from aimindserve.server.reconcile.planning import refusals
from aimindserve.sources import Asking, resolve


async def read_facts(context: ServerContext, spec: DeploymentSpec) -> ModelFacts | Reason:
    """The facts of the model that ``spec`` names, read on a thread."""
    access = await hub_access(context)
    return await asyncio.to_thread(resolve, spec.parsed_source, Asking(access, spec.projector))


async def known_nodes(context: ServerContext) -> list[NodeFacts]:
    """Facts of all nodes that ever reported, silent ones included."""
    async with context.database.read() as session:
        rows = await session.scalars(select(NodeRow).order_by(NodeRow.id))
        return [row.facts for row in rows if row.facts is not None]


async def accept(context: ServerContext, spec: DeploymentSpec) -> ModelFacts:
    """The facts with which ``spec`` can be stored.

    Raises:
        RefusedError: the source has no model, or engine, parameters or environment do not suit it.
    """
    facts = await read_facts(context, spec)
    if isinstance(facts, Reason):
        raise RefusedError(facts)
    refused = refusals(spec, facts, await known_nodes(context), context.settings.llama_threads)
    if refused:
        raise RefusedError(refused[0], also=refused[1:])
    return facts
