"""Whether the model hubs answer: asked when a person says so or when the start names a mirror, a proxy or a token;
never when the system is set to work offline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aimindserve.domain.findings import Fact, Finding, good, note

if TYPE_CHECKING:
    from aimindserve.domain.facts import Hub
    from aimindserve.domain.files import HubAccess
    from aimindserve.server.settings import Settings


def hub_findings(settings: Settings, *, ask: bool) -> Iterator[Finding]:
    """One line for each hub that is asked, else one that says why none is."""
    access = _access(settings)
    if access.offline:
        yield good("hub", Fact.HUB_OFFLINE)
    elif not (ask or _is_configured(settings, access)):
        yield good("hub", Fact.HUB_NOT_ASKED)
    else:
        hubs: tuple[Hub, ...] = ("hf", "ms")
        yield from (_asked(hub, access) for hub in hubs if ask or _is_named(hub, settings, access))


def _access(settings: Settings) -> HubAccess:
    """What the start gave; the running server's own settings where it answers."""
    from aimindserve.cli.connection import connect
    from aimindserve.cli.output import CommandError
    from aimindserve.client import ApiError, UnreachableError
    from aimindserve.domain.files import HubAccess

    offline = settings.offline
    try:
        with connect(settings.data_dir) as client:
            offline = client.hub_settings().offline
    except (CommandError, ApiError, UnreachableError):
        pass  # no server runs: what the start says holds
    return HubAccess(
        endpoints={"hf": settings.huggingface_endpoint, "ms": settings.modelscope_endpoint},
        tokens=_tokens(settings),
        proxy=settings.hub_proxy,
        offline=bool(offline),
    )


def _tokens(settings: Settings) -> dict[Hub, str]:
    from aimindserve.server.secrets import given_tokens

    try:
        return given_tokens(settings.paths)
    except OSError:
        return {}  # another account's: the checks of the data folder say so


def _is_configured(settings: Settings, access: HubAccess) -> bool:
    return _is_named("hf", settings, access) or _is_named("ms", settings, access)


def _is_named(hub: Hub, settings: Settings, access: HubAccess) -> bool:
    """Whether the start says something of this hub: a mirror, a token, or a proxy for all."""
    from aimindserve.server.settings import HUGGING_FACE, MODEL_SCOPE

    usual = HUGGING_FACE if hub == "hf" else MODEL_SCOPE
    return access.endpoints[hub] != usual or hub in access.tokens or settings.hub_proxy is not None


def _asked(hub: Hub, access: HubAccess) -> Finding:
    from aimindserve.domain.reasons import Reason
    from aimindserve.sources import whoami

    found = whoami(hub, access)
    if isinstance(found, Reason):
        return note("hub", found)
    where = access.endpoints[hub]
    return good("hub", Fact.HUB_ANSWERS, hub=where, milliseconds=round(found.milliseconds or 0))
