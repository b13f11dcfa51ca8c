"""Hub settings: shown, changed, checked."""

# ruff: noqa: ARG001  # the shapes come first

from aimindserve.domain.facts import Hub
from aimindserve.domain.reasons import Language, ReasonCode, reason
from aimindserve.domain.views_hub import HubCheckView, HubSettingsRequest, HubSettingsView
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import reason_view, refuse


async def shown(context: ServerContext) -> HubSettingsView:
    """The settings in force."""
    return HubSettingsView(huggingface_endpoint="https://huggingface.co", modelscope_endpoint="https://modelscope.cn")


async def change(context: ServerContext, wish: HubSettingsRequest, actor: str) -> None:
    """Stores what is given."""
    refuse(ReasonCode.NOT_READY)


async def store_token(context: ServerContext, hub: Hub, token: str, actor: str) -> None:
    """Stores a token."""
    refuse(ReasonCode.NOT_READY)


async def remove_token(context: ServerContext, hub: Hub, actor: str) -> None:
    """Forgets a stored token."""
    refuse(ReasonCode.NOT_READY)


async def check(context: ServerContext, language: Language) -> tuple[HubCheckView, ...]:
    """Whether the hubs answer."""
    why = reason_view(reason(ReasonCode.SOURCE_NOT_SUPPORTED, kind="hf"), language)
    return (HubCheckView(hub="hf", reachable=False, problem=why),)
