"""Reading a spec's source, and judging the spec by it, before it is stored."""

import asyncio

from sqlalchemy import select

from aimindserve.domain.facts import HubOrigin, ModelFacts, ModelFormat
from aimindserve.domain.files import choose_stored
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source, SourceKind
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import CodeApprovalRow, NodeRow
from aimindserve.server.errors import RefusedError
from aimindserve.server.hub_access import hub_access
from aimindserve.server.hub_facts import SILENCE, known_facts
from aimindserve.server.reconcile.planning import refusals
from aimindserve.sources import Asking, resolve

_FILES_TOLD = 5


async def read_facts(context: ServerContext, spec: DeploymentSpec) -> ModelFacts | Reason:
    """The facts of the model that ``spec`` names, read on a thread; those of a hub's model are kept."""
    return await source_facts(context, spec.parsed_source, spec.projector)


async def source_facts(context: ServerContext, source: Source, projector: str | None) -> ModelFacts | Reason:
    """As ``read_facts``, for a source that is in no spec."""
    access = await hub_access(context)

    async def ask() -> ModelFacts | Reason:
        return await asyncio.to_thread(resolve, source, Asking(access, projector))

    if source.kind in (SourceKind.HUGGING_FACE, SourceKind.MODEL_SCOPE):
        found = await known_facts(context, source, projector, ask)
        if isinstance(found, Reason) and found.code in SILENCE and projector is None:
            reports = context.board.reports.values()
            return choose_stored((model.facts for report in reports for model in report.models), source) or found
        return found
    return await ask()


async def known_nodes(context: ServerContext) -> list[NodeFacts]:
    """Facts of all nodes that ever reported, silent ones included."""
    async with context.database.read() as session:
        rows = await session.scalars(select(NodeRow).order_by(NodeRow.id))
        return [row.facts for row in rows if row.facts is not None]


async def accept(context: ServerContext, spec: DeploymentSpec) -> ModelFacts:
    """The facts with which ``spec`` can be stored.

    Raises:
        RefusedError: the source has no model, engine, parameters or environment do not suit it, or it brings code that
            nobody confirmed.
    """
    facts = await read_facts(context, spec)
    if isinstance(facts, Reason):
        raise RefusedError(facts)
    refused = refusals(spec, facts, await known_nodes(context), context.settings.llama_threads)
    if refused:
        raise RefusedError(refused[0], also=refused[1:])
    unconfirmed = await unconfirmed_code(context, facts)
    if unconfirmed is not None:
        raise RefusedError(unconfirmed)
    return facts


async def unconfirmed_code(context: ServerContext, facts: ModelFacts) -> Reason | None:
    """Why a hub's model may not run yet: it brings Python code, and no administrator confirmed it for this commit.
    llama.cpp runs no code of a model."""
    why = code_reason(facts)
    if why is None or facts.origin is None or await is_code_confirmed(context, facts.origin):
        return None
    return why


def code_reason(facts: ModelFacts) -> Reason | None:
    """What has to be confirmed before a hub's model may run; None when there is nothing."""
    origin = facts.origin
    if origin is None or not facts.code_files or facts.format is ModelFormat.GGUF:
        return None
    more = len(facts.code_files) - _FILES_TOLD
    files = ", ".join(facts.code_files[:_FILES_TOLD]) + (f" (+{more})" if more > 0 else "")
    return reason(
        ReasonCode.REMOTE_CODE_UNCONFIRMED,
        hub=origin.hub,
        repository=origin.repository,
        revision=origin.revision,
        files=files,
    )


async def is_code_confirmed(context: ServerContext, origin: HubOrigin) -> bool:
    """Whether the code of this commit may run."""
    async with context.database.read() as session:
        return await session.get(CodeApprovalRow, (origin.hub, origin.repository, origin.revision)) is not None
