"""``aimindserve files …``: models that lie on nodes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.deployments import POLL
from aimindserve.cli.output import (
    CommandError,
    DataDir,
    Format,
    Output,
    print_json,
    print_model,
    print_models,
    print_table,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pydantic import BaseModel

    from aimindserve.client import Client
    from aimindserve.domain.views_files import ModelFilesView

    Body = TypeVar("Body", bound=BaseModel)

app = typer.Typer(
    help="Model files on the nodes: fetch ahead, import, delete.", no_args_is_help=True, rich_markup_mode=None
)
Which = Annotated[
    str, typer.Argument(metavar="MODEL", help="Key (or its beginning), name or source, as `files ls` shows it.")
]
Node = Annotated[str | None, typer.Option("--node", help="Id or host name, where there are several.")]
Projector = Annotated[
    str | None, typer.Option(help="GGUF projector, a path in the repository; none: text only. Default: found.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Return when the files are there (or failed: exit code 1).")]


@app.command("ls", epilog="Example: aimindserve files ls")
def list_files(node: Node = None, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """List the models that lie on nodes, and those on their way."""
    with connect(data_dir) as client:
        view = client.files()
    items = [item for item in view.items if node in (None, item.node, item.node_id)]
    if output is Format.JSON:
        print_model(view.model_copy(update={"items": tuple(items)}))
        return
    if not items:
        typer.echo(
            "No model files yet. Try: aimindserve files download hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M"
        )
    else:
        print_table(("KEY", "NAME", "SIZE", "STATE", "NODE", "USED BY", "SOURCE"), (_row(item) for item in items))
    for item in items:
        for why in item.reasons:
            typer.echo(f"\n! {item.name}: {why.message}\n  {why.remedy}")
    _print_stores(view.stores)


def _row(item: ModelFilesView) -> tuple[str, ...]:
    from aimindserve.domain.units import format_bytes

    name = f"{item.name} {item.quantization or ''}".strip()
    state = "local path" if item.kind == "local" else _state(item)
    used_by = ", ".join(item.used_by)
    return item.key, name, format_bytes(item.size), state, item.node, used_by, item.source


def _state(item: ModelFilesView) -> str:
    if item.state not in ("downloading", "paused", "queued") or not item.progress.total:
        return item.state
    share = f"{100 * item.progress.done / item.progress.total:.0f} %"
    return f"{'importing' if item.brought_from and item.state == 'downloading' else item.state} {share}"


def _print_stores(stores: Sequence[Any]) -> None:
    from aimindserve.domain.units import format_bytes

    for store in stores:
        free = f", {format_bytes(store.disk_free)} free" if store.disk_free is not None else ""
        typer.echo(f"\n{store.node}: {format_bytes(store.used)} in {store.path}{free}")


@app.command(epilog="Example: aimindserve files download hf://Qwen/Qwen2-VL-7B-Instruct --wait")
def download(
    source: Annotated[str, typer.Argument(help="hf://org/repo, hf://org/repo:Q4_K_M, ms://org/repo …")],
    projector: Projector = None,
    node: Annotated[
        list[str] | None, typer.Option("--node", help="Id or host name; again for more. Default: all.")
    ] = None,
    wait: Wait = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Have a model's files fetched before anybody deploys it."""
    from aimindserve.cli.specs import absolute_source
    from aimindserve.domain.views_files import DownloadRequest

    full = absolute_source(source)
    request = _request(DownloadRequest, source=full, projector=projector, nodes=tuple(node or ()))
    with connect(data_dir) as client:
        ordered = client.download_files(request)
        items = _settled(client, ordered.keys) if wait else _of(client, ordered.keys)
    _say(items, output, "Fetching {name}. Follow it with: aimindserve files ls")
    _fail_unless_ready(items, wait=wait)


def fetch_models(client: Client, sources: Sequence[str]) -> None:
    """Have models fetched, and wait until they are there.

    Raises:
        CommandError: one could not be fetched.
    """
    from aimindserve.cli.specs import absolute_source
    from aimindserve.domain.views_files import DownloadRequest

    for source in sources:
        request = _request(DownloadRequest, source=absolute_source(source))
        _fail_unless_ready(_settled(client, client.download_files(request).keys), wait=True)


@app.command("import", epilog="Example: aimindserve files import /media/usb/Qwen2-VL-2B-Instruct-GGUF --wait")
def import_files(
    path: Annotated[Path, typer.Argument(help="A folder or .gguf file; a Hugging Face cache; another models folder.")],
    source: Annotated[
        str | None, typer.Option(help="Where the files come from (hf://org/repo:Q4_K_M), unless the folder tells.")
    ] = None,
    projector: Projector = None,
    node: Node = None,
    wait: Wait = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Copy a model's files from a folder on the node, such as a USB disk, into its store. They are verified by the
    hub's checksums where those are known."""
    from aimindserve.domain.views_files import ImportRequest

    full = str(path.expanduser().absolute())
    request = _request(ImportRequest, path=full, source=source, projector=projector, node=node)
    with connect(data_dir) as client:
        ordered = client.import_files(request)
        items = _settled(client, ordered.keys) if wait else _of(client, ordered.keys)
    _say(items, output, "Importing {name}. Follow it with: aimindserve files ls")
    _fail_unless_ready(items, wait=wait)


def _request(model: type[Body], **values: Any) -> Body:
    """The request's body; raises CommandError for what no server would take."""
    from pydantic import ValidationError

    try:
        return model.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise CommandError(
            f"The {field} cannot be used: {first['msg']}.", "See --help for what it may be.", code="invalid_request"
        ) from None


def _of(client: Client, keys: Collection[str]) -> list[ModelFilesView]:
    return [item for item in client.files().items if item.key in keys]


def _settled(client: Client, keys: Collection[str]) -> list[ModelFilesView]:
    """The models once each is whole, paused, or failed; a terminal shows how far they are."""
    from aimindserve.cli.progress import ProgressLine

    line = ProgressLine()
    try:
        while True:
            items = _of(client, keys)
            moving = [item for item in items if item.state in ("queued", "downloading")]
            if items and not moving:
                return items
            if moving:
                line.show(moving[0].name, moving[0].progress)
            time.sleep(POLL)
    finally:
        line.end()


def _say(items: list[ModelFilesView], output: Format, text: str) -> None:
    if output is Format.JSON:
        print_models(items)
        return
    for item in items:
        done = f"{item.name} is there: {item.path or item.source}"
        typer.echo(done if item.state == "ready" else text.format(name=item.name))


def _fail_unless_ready(items: list[ModelFilesView], *, wait: bool) -> None:
    for item in items if wait else ():
        if item.state != "ready":
            why = item.reasons[0] if item.reasons else None
            message = why.message if why else f"its files are {item.state}"
            raise CommandError(f"{item.name}: {message}", why.remedy if why else "", code=why.code if why else "failed")


@app.command(epilog="Example: aimindserve files pause Qwen2-VL-2B-Instruct")
def pause(which: Which, node: Node = None, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Pause a download; what has arrived is kept."""
    _act(which, "pause", node, data_dir, output)


@app.command(epilog="Example: aimindserve files resume Qwen2-VL-2B-Instruct")
def resume(which: Which, node: Node = None, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Let a paused download go on."""
    _act(which, "resume", node, data_dir, output)


@app.command(epilog="Example: aimindserve files retry Qwen2-VL-2B-Instruct")
def retry(which: Which, node: Node = None, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Try a failed download again."""
    _act(which, "retry", node, data_dir, output)


def _act(which: str, action: str, node: str | None, data_dir: str | None, output: Format) -> None:
    with connect(data_dir) as client:
        item = _find(client, which, node)
        client.act_on_files(item.node_id, item.key, action)
    _said(item, action, f"{item.name}: {action} ordered.", output)


def _said(item: ModelFilesView, action: str, text: str, output: Format) -> None:
    if output is Format.JSON:
        print_json({"key": item.key, "node": item.node_id, "action": action})
    else:
        typer.echo(text)


def _find(client: Client, which: str, node: str | None) -> ModelFilesView:
    """The one model that a person means."""
    here = [item for item in client.files().items if node in (None, item.node, item.node_id)]
    exact = [item for item in here if which in (item.key, item.name, item.source)]
    found = exact or [item for item in here if len(which) >= 4 and item.key.startswith(which)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"There are no model files {which}.", "See: aimindserve files ls", code="not_found")
    several = ", ".join(f"{item.key} on {item.node}" for item in found)
    raise CommandError(f"{which} means several: {several}.", "Name the key, and --node.", code="ambiguous")


@app.command(epilog="Example: aimindserve files rm Qwen2-VL-2B-Instruct --yes")
def rm(
    which: Which,
    node: Node = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Delete a model's files from a node's store. A local path is only taken off the list."""
    with connect(data_dir) as client:
        item = _find(client, which, node)
        if not yes and sys.stdin.isatty():
            typer.confirm(_what_goes(item), abort=True)
        client.delete_files(item.node_id, item.key)
    if item.kind == "local":
        _said(item, "forget", f"{item.source} is off the list; its files were left alone.", output)
    else:
        _said(item, "delete", f"Deleting the files of {item.name}.", output)


def _what_goes(item: ModelFilesView) -> str:
    from aimindserve.domain.units import format_bytes

    if item.kind == "local":
        return f"Take {item.source} off the list? Nothing on the disk is touched"
    freed = format_bytes(item.freed)
    return f"Delete {len(item.files)} file(s) of {item.name} on {item.node}, which frees {freed}"
