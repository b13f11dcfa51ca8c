"""``/engines``: versions of engines that nodes have, and those that can be installed."""

from typing import Annotated, Literal

from fastapi import Path, Request, Response

from aimindserve.domain.access import Policy
from aimindserve.domain.views_engines import EnginesView, InstallRequest, OrderedEnvironments, RegisterRequest
from aimindserve.server.context import Context
from aimindserve.server.errors import language
from aimindserve.server.features.engines import service
from aimindserve.server.features.engines.views import engines_view
from aimindserve.server.guards import Caller, actor_of, feature_router, requires

router = feature_router("engines")

NodeId = Annotated[str, Path(max_length=64)]
Key = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9.+_-]+$")]


@router.get("/engines")
@requires(Policy.ADMIN)  # the answer tells paths of machines
async def list_engines(request: Request, context: Context) -> EnginesView:
    """Every version of an engine that a node has or installs, and every one that could be installed."""
    return await engines_view(context, language(request))


@router.post("/engines", status_code=202)
@requires(Policy.ADMIN)
async def install_engine(body: InstallRequest, caller: Caller, context: Context) -> OrderedEnvironments:
    """Has a version of an engine installed, in the background. Ordered again, a failed installation is tried again."""
    return await service.install(context, body, actor_of(caller))


@router.post("/engines/register", status_code=202)
@requires(Policy.ADMIN)
async def register_engine(body: RegisterRequest, caller: Caller, context: Context) -> OrderedEnvironments:
    """Lets deployments use a program that is on a node, once it has answered to ``--version``."""
    return await service.register(context, body, actor_of(caller))


@router.post("/engines/{node_id}/{key}/{action}", status_code=202)
@requires(Policy.ADMIN)
async def order_engine(
    node_id: NodeId, key: Key, action: Literal["cancel", "retry"], caller: Caller, context: Context
) -> Response:
    """Ends an installation (what was fetched stays), or has it tried again."""
    if action == "retry":
        await service.retry(context, node_id, key, actor_of(caller))
    else:
        await service.cancel(context, node_id, key, actor_of(caller))
    return Response(status_code=202)


@router.delete("/engines/{node_id}/{key}", status_code=202)
@requires(Policy.ADMIN)
async def remove_engine(node_id: NodeId, key: Key, caller: Caller, context: Context) -> Response:
    """Removes an engine from a node; a registered program is only forgotten. Refused while a replica runs from it."""
    await service.remove(context, node_id, key, actor_of(caller))
    return Response(status_code=202)
