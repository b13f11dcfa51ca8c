"""Facts of models on hubs, kept: a commit never changes, a branch is asked again, a silent hub is no obstacle."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sqlalchemy import delete, select

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.source import Source
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import HubFactsRow

ASK_AGAIN_SECONDS = 300.0
_LONGEST_KEY = 700
_COMMIT = re.compile(r"[0-9a-f]{40}")
# The hub gave no answer: what was known before still holds. Any other refusal is an answer.
SILENCE = frozenset({ReasonCode.HUB_OFFLINE, ReasonCode.HUB_UNREACHABLE, ReasonCode.HUB_RATE_LIMITED})


async def known_facts(
    context: ServerContext,
    source: Source,
    projector: str | None,
    ask: Callable[[], Awaitable[ModelFacts | Reason]],
) -> ModelFacts | Reason:
    """The facts of a hub's model: kept ones where they hold, else what ``ask`` finds, else kept ones all the same."""
    pinned = _is_pinned(source)
    key = _key(source, projector, pinned=pinned)
    row = await _kept(context, key, source.revision if pinned else None)
    if row is not None and (pinned or context.clock() - row.at < ASK_AGAIN_SECONDS):
        return row.facts
    found = await ask()
    if isinstance(found, ModelFacts):
        await _keep(context, {key, _key(source, projector, pinned=True)}, found)
    elif row is not None and found.code in SILENCE:
        return row.facts
    return found


async def learn(context: ServerContext, source: Source, facts: ModelFacts) -> None:
    """Keep what a look into a repository told: the facts that ``source`` (a whole repository) stands for."""
    pinned = _is_pinned(source)
    await _keep(context, {_key(source, None, pinned=pinned), _key(source, None, pinned=True)}, facts)


async def latest_facts(context: ServerContext, sources: Sequence[str]) -> dict[str, ModelFacts]:
    """What is known of whole repositories (``hf://owner/name``) without asking any hub; the rest is left out."""
    keys = {key: source for source in sources for key in (source, f"{source}@")}
    query = select(HubFactsRow).where(HubFactsRow.source.in_(keys)).order_by(HubFactsRow.at)
    async with context.database.read() as session:
        return {keys[row.source]: row.facts for row in await session.scalars(query)}


def _is_pinned(source: Source) -> bool:
    return source.revision is not None and _COMMIT.fullmatch(source.revision) is not None


def _key(source: Source, projector: str | None, *, pinned: bool) -> str:
    """What rows are found by: the source, its branch or tag unless a commit tells all, and the projector's wish."""
    branch = "" if pinned else f"@{source.revision or ''}"
    wish = f"#{projector}" if projector else ""
    return f"{replace(source, revision=None)}{branch}{wish}"


async def _kept(context: ServerContext, key: str, revision: str | None) -> HubFactsRow | None:
    query = select(HubFactsRow).where(HubFactsRow.source == key).order_by(HubFactsRow.at.desc()).limit(1)
    if revision is not None:
        query = query.where(HubFactsRow.revision == revision)
    async with context.database.read() as session:
        return await session.scalar(query)


async def _keep(context: ServerContext, keys: set[str], facts: ModelFacts) -> None:
    """One row for the commit, and one, in place of the older, for the branch that leads to it."""
    if facts.origin is None or max(map(len, keys)) > _LONGEST_KEY:
        return
    revision = facts.origin.revision
    async with context.database.unit_of_work(quiet=True) as work:
        for key in sorted(keys):
            if "@" in key:
                await work.session.execute(delete(HubFactsRow).where(HubFactsRow.source == key))
            await work.session.merge(HubFactsRow(source=key, revision=revision, facts=facts, at=work.now))
