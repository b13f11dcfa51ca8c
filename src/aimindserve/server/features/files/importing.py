"""Model files that somebody brings to a node in a folder."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source, parse_source
from aimindserve.domain.views_files import ImportRequest, OrderedView
from aimindserve.node.store import Store
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import NodeRow
from aimindserve.server.errors import RefusedError, refuse
from aimindserve.server.features.files.orders import order
from aimindserve.server.hub_access import hub_access
from aimindserve.server.hub_facts import SILENCE
from aimindserve.server.model_facts import source_facts
from aimindserve.sources import Asking, Brought, brought_facts, look_into

# The hub does not help: what lies in the folder has to do. Any other refusal means that the source is wrong.
_NO_HELP = SILENCE | {
    ReasonCode.REPOSITORY_NEEDS_TOKEN,
    ReasonCode.TOKEN_INVALID,
    ReasonCode.TOKEN_SCOPE,
    ReasonCode.REPOSITORY_GATED,
}


@dataclass(frozen=True, slots=True)
class _Found:
    """One model in the folder."""

    source: str
    facts: ModelFacts
    folder: Path


async def bring(context: ServerContext, body: ImportRequest, actor: str) -> OrderedView:
    """Orders the copying of the model (of every model, where the folder is another store).

    Raises:
        RefusedError: no such node or folder, no model in it, or nobody says where it comes from.
    """
    models = await _find(context, body)
    if isinstance(models, Reason):
        raise RefusedError(models)
    async with context.database.unit_of_work(actor) as work:
        nodes = list(await work.session.scalars(select(NodeRow).order_by(NodeRow.id)))
        named = [node for node in nodes if body.node in (None, node.id, node.hostname)]
        if len(named) != 1:
            refuse(ReasonCode.NODE_UNKNOWN, wish=body.node or ", ".join(node.hostname for node in nodes))
        keys = [await order(work, named[0].id, one.source, one.facts, str(one.folder)) for one in models]
        return OrderedView(keys=tuple(keys))


async def _find(context: ServerContext, body: ImportRequest) -> list[_Found] | Reason:
    path = Path(body.path)
    stored = await asyncio.to_thread(_stored, path)
    wanted = parse_source(body.source) if body.source else None
    if stored and wanted is None:
        return stored
    brought = await asyncio.to_thread(look_into, path)
    if isinstance(brought, Reason):
        return brought
    source = brought.source(wanted)
    if source is None:
        return reason(ReasonCode.IMPORT_SOURCE_UNKNOWN, path=body.path)
    facts = await _facts(context, brought, source, body.projector)
    return facts if isinstance(facts, Reason) else [_Found(str(source), facts, brought.root)]


def _stored(path: Path) -> list[_Found]:
    """The models of another store (``models`` of a data folder, or a data folder)."""
    for root in (path, path / "models"):
        manifests = Store(root).all() if (root / "manifests").is_dir() else {}
        if manifests:
            return [_Found(one.source, one.facts, root) for one in manifests.values()]
    return []


async def _facts(
    context: ServerContext, brought: Brought, source: Source, projector: str | None
) -> ModelFacts | Reason:
    """From the hub, whose checksums then verify the files; from the files themselves where it gives no answer."""
    facts = await source_facts(context, source, projector)
    if isinstance(facts, ModelFacts) or facts.code not in _NO_HELP:
        return facts
    asking = Asking(await hub_access(context), projector)
    return await asyncio.to_thread(brought_facts, brought, source, asking)
