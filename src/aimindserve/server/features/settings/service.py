"""Hub settings: shown, changed, checked."""

import asyncio

from aimindserve.domain.changes import changes
from aimindserve.domain.facts import Hub
from aimindserve.domain.hubs import HubAccount
from aimindserve.domain.reasons import Language, Reason
from aimindserve.domain.views_hub import HubCheckView, HubSettingsRequest, HubSettingsView, TokenView
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import SecretRow
from aimindserve.server.errors import reason_view
from aimindserve.server.hub_access import (
    HUBS,
    PROXY_SECRET,
    HubReach,
    hub_access,
    reach,
    store_settings,
    stored_settings,
    token_secret,
)
from aimindserve.server.hub_facts import SILENCE
from aimindserve.server.secrets import drop_secret, forget_given, hint_of, write_secret
from aimindserve.server.settings import without_password
from aimindserve.sources import whoami


async def shown(context: ServerContext) -> HubSettingsView:
    """The settings in force; of tokens and of the proxy's password only that they are there."""
    async with context.database.read() as session:
        found = await reach(session, context)
        rows = {hub: await session.get(SecretRow, token_secret(hub)) for hub in HUBS}
    access = found.access
    return HubSettingsView(
        huggingface_endpoint=access.endpoints["hf"],
        modelscope_endpoint=access.endpoints["ms"],
        proxy=without_password(access.proxy) if access.proxy else None,
        rate_limit=access.rate_limit,
        offline=access.offline,
        origins={name: str(origin) for name, origin in found.origins.items()},
        tokens=tuple(_token_view(hub, found, rows[hub]) for hub in HUBS),
    )


def _token_view(hub: Hub, found: HubReach, row: SecretRow | None) -> TokenView:
    token = found.access.tokens.get(hub)
    if token is None:
        return TokenView(hub=hub, present=False)
    origin = found.token_origins[hub]
    updated_at = row.updated_at if row is not None and origin == "stored" else None
    return TokenView(hub=hub, present=True, origin=origin, hint=hint_of(token), updated_at=updated_at)


async def change(context: ServerContext, wish: HubSettingsRequest, actor: str) -> None:
    """Stores what is given; null goes back to the start's value. A proxy as it is shown (without its password) leaves
    the stored one as it is."""
    given = wish.model_dump(exclude_unset=True)
    async with context.database.unit_of_work(actor) as work:
        current = (await reach(work.session, context)).access.proxy
        if wish.proxy and current and wish.proxy == without_password(current):
            del given["proxy"]
        if not given:
            return
        if "proxy" in given:
            given["proxy"] = await _set_proxy(work, context, wish.proxy)
        old = await stored_settings(work.session)
        new = old.model_copy(update=given)
        await store_settings(work, new)
        told = changes(old.model_dump(mode="json"), new.model_dump(mode="json"), hidden={"proxy"})
        work.record("hub.settings_changed", subject="hub", changes=told)


async def _set_proxy(work: UnitOfWork, context: ServerContext, proxy: str | None) -> bool | None:
    """Stores or forgets the proxy's address. What the settings then say of it."""
    if proxy:
        await write_secret(work, context.vault, PROXY_SECRET, proxy)
        return True
    await drop_secret(work, PROXY_SECRET)
    return None


async def store_token(context: ServerContext, hub: Hub, token: str, actor: str) -> None:
    """Stores a token in place of the one that was there."""
    async with context.database.unit_of_work(actor) as work:
        await write_secret(work, context.vault, token_secret(hub), token, hint=hint_of(token))
        work.record("hub.token_stored", subject=hub)


async def remove_token(context: ServerContext, hub: Hub, actor: str) -> None:
    """Forgets the stored token and the one that the start gave. Nothing happens when there is none."""
    async with context.database.unit_of_work(actor) as work:
        dropped = await drop_secret(work, token_secret(hub))
        if dropped or hub in context.vault.given:
            work.record("hub.token_removed", subject=hub)
    context.vault.given.pop(hub, None)
    await asyncio.to_thread(forget_given, context.paths, hub)


async def check(context: ServerContext, language: Language) -> tuple[HubCheckView, ...]:
    """Whether the hubs answer, how fast, and whose the tokens are."""
    access = await hub_access(context)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.to_thread(whoami, hub, access)) for hub in HUBS]
    return tuple(_check_view(hub, task.result(), language) for hub, task in zip(HUBS, tasks, strict=True))


def _check_view(hub: Hub, found: HubAccount | Reason, language: Language) -> HubCheckView:
    """A hub that refuses the token is reachable all the same."""
    if isinstance(found, Reason):
        return HubCheckView(hub=hub, reachable=found.code not in SILENCE, problem=reason_view(found, language))
    return HubCheckView(hub=hub, reachable=True, account=found.account, milliseconds=found.milliseconds)
