"""``/files``: models that lie on nodes, ready to be deployed, and those on their way."""

from typing import Annotated, Literal

from fastapi import Path, Request, Response

from aimindserve.domain.access import Policy
from aimindserve.domain.file_actions import FileAction
from aimindserve.domain.views_files import DownloadRequest, FilesView, ImportRequest, OrderedView
from aimindserve.server.context import Context
from aimindserve.server.errors import language
from aimindserve.server.features.files import importing, orders
from aimindserve.server.features.files.views import files_view
from aimindserve.server.guards import Caller, actor_of, feature_router, requires

router = feature_router("files")

NodeId = Annotated[str, Path(max_length=64)]
Key = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]+$")]


@router.get("/files")
@requires(Policy.OPERATOR)  # the answer tells paths of machines
async def list_files(request: Request, context: Context) -> FilesView:
    """Every model that a node has or fetches, and every local path that somebody registered."""
    return await files_view(context, language(request))


@router.post("/files", status_code=202)
@requires(Policy.OPERATOR)
async def download_files(body: DownloadRequest, caller: Caller, context: Context) -> OrderedView:
    """Has a model's files fetched before anybody deploys them. A local path is only remembered."""
    return await orders.download(context, body, actor_of(caller))


@router.post("/files/import", status_code=202)
@requires(Policy.OPERATOR)
async def import_files(body: ImportRequest, caller: Caller, context: Context) -> OrderedView:
    """Copies a model's files from a folder on a node, such as a USB disk, into that node's store."""
    return await importing.bring(context, body, actor_of(caller))


@router.post("/files/{node_id}/{key}/{action}", status_code=202)
@requires(Policy.OPERATOR)
async def order_files(
    node_id: NodeId, key: Key, action: Literal["pause", "resume", "retry"], caller: Caller, context: Context
) -> Response:
    """Pauses a download, lets it go on, or has it tried again."""
    await orders.change(context, node_id, key, FileAction(action), actor_of(caller))
    return Response(status_code=202)


@router.delete("/files/{node_id}/{key}", status_code=202)
@requires(Policy.OPERATOR)
async def delete_files(node_id: NodeId, key: Key, caller: Caller, context: Context) -> Response:
    """Deletes a model's files from a node's store; a registered local path is only forgotten. Refused while a
    deployment needs them."""
    await orders.remove(context, node_id, key, actor_of(caller))
    return Response(status_code=202)
