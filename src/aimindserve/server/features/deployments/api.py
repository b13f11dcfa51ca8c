"""``/deployments``: what should run.

Whoever wants to change only what they have seen sends the ``revision`` that they saw as ``If-Match``."""

from typing import Annotated

from fastapi import Header, Query, Request, Response

from aimindserve.domain.access import Policy
from aimindserve.domain.reasons import ReasonCode
from aimindserve.domain.specs import DeploymentPatch, DeploymentSpec
from aimindserve.domain.views import DeploymentView, EventView, ItemList, MemoryHistoryView, ScaleRequest
from aimindserve.domain.views_pictures import ImageTokensRequest, ImageTokensView
from aimindserve.server.context import Context, ServerContext
from aimindserve.server.errors import language, refuse
from aimindserve.server.features.deployments import service, store
from aimindserve.server.features.deployments.memory import memory_history
from aimindserve.server.features.deployments.pictures import image_tokens
from aimindserve.server.features.deployments.views import deployment_view
from aimindserve.server.guards import Caller, actor_of, feature_router, requires

router = feature_router("deployments")

Names = Annotated[tuple[str, ...], Query(max_length=1000, description="Deployments; left out: all of them.")]
IfMatch = Annotated[str | None, Header(max_length=64, description="The revision that is meant to be changed.")]


@router.get("/deployments")
@requires(Policy.USER)
async def list_deployments(request: Request, context: Context) -> ItemList[DeploymentView]:
    """All deployments by name, with their replicas."""
    world = await service.world_of(context)
    now, threads, wording = context.clock(), context.settings.llama_threads, language(request)
    return ItemList[DeploymentView](
        items=tuple(deployment_view(found, world, now, threads, wording) for found in world.deployments)
    )


@router.get(
    "/manifest",
    response_class=Response,
    responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}},
)
@requires(Policy.OPERATOR)  # values of environments are in it
async def export_manifest(context: Context, name: Names = ()) -> Response:
    """Deployments as YAML, as ``aimindserve apply -f`` takes it: those that are named, or all."""
    text = await service.manifest(context, name)
    headers = {"content-disposition": 'attachment; filename="aimindserve.yaml"'}
    return Response(text, media_type="application/yaml; charset=utf-8", headers=headers)


@router.post("/deployments", status_code=201)
@requires(Policy.OPERATOR)
async def create_deployment(
    body: DeploymentSpec, request: Request, response: Response, caller: Caller, context: Context
) -> DeploymentView:
    """Makes a deployment. Its model files are looked at first: what cannot run is refused with the reason."""
    await service.create(context, body, actor_of(caller))
    return await _shown(context, body.name, request, response)


@router.get("/deployments/{name}")
@requires(Policy.USER)
async def read_deployment(name: str, request: Request, response: Response, context: Context) -> DeploymentView:
    """One deployment."""
    return await _shown(context, name, request, response)


@router.patch("/deployments/{name}")
@requires(Policy.OPERATOR)
async def edit_deployment(
    name: str,
    body: DeploymentPatch,
    request: Request,
    response: Response,
    caller: Caller,
    context: Context,
    if_match: IfMatch = None,
) -> DeploymentView:
    """Changes a spec. Replicas that no longer serve it are replaced."""
    await service.change(context, name, service.edited(body), actor_of(caller), _revision(if_match))
    return await _shown(context, name, request, response)


@router.delete("/deployments/{name}", status_code=202)
@requires(Policy.OPERATOR)
async def delete_deployment(name: str, caller: Caller, context: Context, if_match: IfMatch = None) -> Response:
    """Stops all replicas, then removes the deployment. Model files stay."""
    await service.delete(context, name, actor_of(caller), _revision(if_match))
    return Response(status_code=202)


@router.post("/deployments/{name}/start")
@requires(Policy.OPERATOR)
async def start_deployment(
    name: str, request: Request, response: Response, caller: Caller, context: Context
) -> DeploymentView:
    """Starts a stopped deployment."""
    await service.change(context, name, service.STARTED, actor_of(caller))
    return await _shown(context, name, request, response)


@router.post("/deployments/{name}/stop")
@requires(Policy.OPERATOR)
async def stop_deployment(
    name: str, request: Request, response: Response, caller: Caller, context: Context
) -> DeploymentView:
    """Stops all replicas and keeps the deployment."""
    await service.change(context, name, service.STOPPED, actor_of(caller))
    return await _shown(context, name, request, response)


@router.post("/deployments/{name}/restart")
@requires(Policy.OPERATOR)
async def restart_deployment(
    name: str, request: Request, response: Response, caller: Caller, context: Context
) -> DeploymentView:
    """Replaces all replicas by new ones; the source is read again."""
    await service.change(context, name, service.RESTARTED, actor_of(caller))
    return await _shown(context, name, request, response)


@router.post("/deployments/{name}/scale")
@requires(Policy.OPERATOR)
async def scale_deployment(
    name: str, body: ScaleRequest, request: Request, response: Response, caller: Caller, context: Context
) -> DeploymentView:
    """Sets the number of replicas."""
    await service.change(context, name, service.scaled(body.replicas), actor_of(caller))
    return await _shown(context, name, request, response)


@router.get("/deployments/{name}/events")
@requires(Policy.USER)
async def list_deployment_events(name: str, context: Context) -> ItemList[EventView]:
    """What happened to a deployment, oldest first; also after it was deleted."""
    events = await store.history(context, name)
    if not events:
        await service.find(context, name)
    return ItemList[EventView](items=events)


@router.get("/deployments/{name}/memory")
@requires(Policy.USER)
async def read_deployment_memory(name: str, context: Context) -> MemoryHistoryView:
    """Memory as estimated and as measured, for the latest starts of a deployment."""
    return await memory_history(context, name)


@router.post("/deployments/{name}/image-tokens")
@requires(Policy.USER)
async def count_image_tokens(name: str, body: ImageTokensRequest, context: Context) -> ItemList[ImageTokensView]:
    """What pictures of these sizes take of the model's context, in their order. Nothing is changed."""
    return ItemList[ImageTokensView](items=await image_tokens(context, name, body.pictures))


async def _shown(context: ServerContext, name: str, request: Request, response: Response) -> DeploymentView:
    seen = await service.find(context, name)
    response.headers["etag"] = f'"{seen.deployment.revision}"'
    return deployment_view(
        seen.deployment, seen.world, context.clock(), context.settings.llama_threads, language(request)
    )


def _revision(if_match: str | None) -> int | None:
    """The number in an ``If-Match`` header; ``*`` matches whatever there is."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit():
        refuse(ReasonCode.INVALID_REQUEST, detail='If-Match: a revision such as "3"')
    return int(text)
