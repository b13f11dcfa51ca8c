"""How the hubs are reached: what an administrator stored, else what the start gave, else the defaults."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.facts import Hub
from aimindserve.domain.files import HubAccess
from aimindserve.server.context import ServerContext
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import SettingRow
from aimindserve.server.secrets import read_secret
from aimindserve.server.settings import Settings

HUBS: tuple[Hub, ...] = ("hf", "ms")
PROXY_SECRET = "hub_proxy"
_ROW = "hub"

Origin = Literal["default", "start", "stored"]
# The start's setting of each field.
_STARTS = {
    "huggingface_endpoint": "huggingface_endpoint",
    "modelscope_endpoint": "modelscope_endpoint",
    "proxy": "hub_proxy",
    "rate_limit": "download_rate_limit",
    "offline": "offline",
}


class StoredSettings(BaseModel):
    """What an administrator stored, as it lies in the database; None: the start's value. A proxy is a secret of its
    own, since its address may hold a password: ``proxy`` only tells that there is one."""

    model_config = ConfigDict(frozen=True)

    huggingface_endpoint: str | None = None
    modelscope_endpoint: str | None = None
    proxy: bool | None = None
    rate_limit: int | None = None
    offline: bool | None = None


@dataclass(frozen=True, slots=True)
class HubReach:
    """The access in force and where its values and its tokens come from."""

    access: HubAccess
    origins: dict[str, Origin]
    token_origins: dict[Hub, Literal["start", "stored"]]


def token_secret(hub: Hub) -> str:
    """The name under which a hub's token is stored."""
    return f"token.{hub}"


async def stored_settings(session: AsyncSession) -> StoredSettings:
    """What an administrator stored."""
    row = await session.get(SettingRow, _ROW)
    return StoredSettings.model_validate(row.value) if row is not None else StoredSettings()


async def store_settings(work: UnitOfWork, values: StoredSettings) -> None:
    """Stores what an administrator set."""
    row = SettingRow(name=_ROW, value=values.model_dump(exclude_none=True), updated_at=work.now)
    await work.session.merge(row)


async def hub_access(context: ServerContext) -> HubAccess:
    """The access in force now, tokens included: for asking a hub and for the nodes that download, for nobody else."""
    async with context.database.read() as session:
        return (await reach(session, context)).access


async def reach(session: AsyncSession, context: ServerContext) -> HubReach:
    """As ``hub_access``, with origins, inside a read or a unit of work."""
    stored = await stored_settings(session)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, start in _STARTS.items():
        value = getattr(stored, name)
        if name == "proxy" and value:
            value = await read_secret(session, context.vault, PROXY_SECRET)
        values[name] = getattr(context.settings, start) if value is None else value
        origins[name] = "stored" if value is not None else _origin_of(context.settings, start)
    stored_tokens = await _stored_tokens(session, context)
    tokens = context.vault.given | stored_tokens
    access = HubAccess(
        endpoints={"hf": values["huggingface_endpoint"], "ms": values["modelscope_endpoint"]},
        tokens=tokens,
        proxy=values["proxy"],
        rate_limit=values["rate_limit"] or None,
        caches=context.settings.huggingface_cache,
        offline=values["offline"],
    )
    return HubReach(access, origins, {hub: "stored" if hub in stored_tokens else "start" for hub in tokens})


def _origin_of(settings: Settings, name: str) -> Origin:
    return "default" if getattr(settings, name) == Settings.model_fields[name].default else "start"


async def _stored_tokens(session: AsyncSession, context: ServerContext) -> dict[Hub, str]:
    tokens: dict[Hub, str] = {}
    for hub in HUBS:
        token = await read_secret(session, context.vault, token_secret(hub))
        if token is not None:
            tokens[hub] = token
    return tokens
