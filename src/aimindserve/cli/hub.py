"""``aimindserve search`` and ``aimindserve hub …``: models on Hugging Face and ModelScope."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from aimindserve.cli.connection import connect
from aimindserve.cli.output import (
    CommandError,
    DataDir,
    Format,
    Output,
    print_facts,
    print_json,
    print_model,
    print_models,
    print_table,
)

if TYPE_CHECKING:
    from typer.models import OptionInfo

    from aimindserve.domain.views_hub import ChoiceView, HubFilesView, HubModelView

app = typer.Typer(help="Look into model hubs; keep their tokens.", no_args_is_help=True, rich_markup_mode=None)
token_app = typer.Typer(help="Store or remove a hub's token.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(token_app, name="token")


class HubName(StrEnum):
    """What ``--source`` takes."""

    HF = "hf"
    MS = "ms"


Source = Annotated[HubName, typer.Option("--source", help="hf: Hugging Face, ms: ModelScope.")]
HubArgument = Annotated[HubName, typer.Argument(metavar="hf|ms", help="hf: Hugging Face, ms: ModelScope.")]
# The names under which the hubs' own programs look for their tokens.
_VARIABLES = {HubName.HF: "HF_TOKEN", HubName.MS: "MODELSCOPE_API_TOKEN"}


def _parameters(name: str, what: str) -> OptionInfo:
    def read(text: str) -> int:
        from aimindserve.domain.units import parse_count

        try:
            return parse_count(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return typer.Option(name, parser=read, metavar="COUNT", help=f"{what} than this: 3B, 500M.")


def register(app: typer.Typer) -> None:
    """Add the command that stands alone."""
    app.command(epilog="Example: aimindserve search qwen2-vl --gguf")(search)


def search(
    text: Annotated[str, typer.Argument(help="Words of the model's name.")],
    gguf: Annotated[bool, typer.Option("--gguf", help="Only repositories with GGUF files (llama.cpp).")] = False,
    source: Source = HubName.HF,
    capability: Annotated[str | None, typer.Option(help="vision, audio, tools, embedding …")] = None,
    least: Annotated[int | None, _parameters("--min-parameters", "No smaller models")] = None,
    most: Annotated[int | None, _parameters("--max-parameters", "No larger models")] = None,
    sort: Annotated[str, typer.Option(help="downloads, likes, updated or trending.")] = "downloads",
    cursor: Annotated[str | None, typer.Option(help="Go on where a page ended: its `next` with -o json.")] = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Search a hub for models."""
    from pydantic import ValidationError

    from aimindserve.domain.views_hub import HubSearchQuery

    given = {"q": text, "source": source, "format": "gguf" if gguf else "any", "capability": capability}
    given |= {"min_parameters": least, "max_parameters": most, "sort": sort, "cursor": cursor}
    try:
        query = HubSearchQuery.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    with connect(data_dir) as client:
        page = client.search_hub(query)
    if output is Format.JSON:
        print_model(page)
    elif page.offline is not None:
        raise CommandError(page.offline.message, page.offline.remedy, code=page.offline.code)
    elif not page.items:
        typer.echo("Nothing was found. Try fewer words, or without --gguf.")
    else:
        headings = ("SOURCE", "DOWNLOADS", "LIKES", "LICENCE", "CAN", "ENGINES", "SIZE")
        print_table(headings, (_model_row(item) for item in page.items))


def _model_row(item: HubModelView) -> tuple[str, ...]:
    from aimindserve.domain.units import format_bytes

    licence = f"{item.license or '?'}{' (gated)' if item.gated else ''}"
    size = format_bytes(item.size) if item.size else ""
    can, engines = ",".join(item.capabilities), ",".join(item.engines)
    return item.source, str(item.downloads), str(item.likes), licence, can, engines, size


@app.command(epilog="Example: aimindserve hub files bartowski/Qwen2-VL-2B-Instruct-GGUF")
def files(
    repository: Annotated[str, typer.Argument(help="owner/name, or hf://owner/name@revision.")],
    source: Source = HubName.HF,
    revision: Annotated[str | None, typer.Option(help="A branch, a tag or a commit. Default: the main branch.")] = None,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Show what a repository offers: quantizations, sizes, projectors, and whether it fits."""
    hub, name, asked = _repository(repository, source)
    with connect(data_dir) as client:
        view = client.hub_files(hub, name, revision or asked)
    if output is Format.JSON:
        print_model(view)
        return
    _print_files(view)


def _repository(text: str, source: HubName) -> tuple[str, str, str | None]:
    """Hub, ``owner/name`` and revision of what a person typed."""
    from aimindserve.domain.source import SourceError, SourceKind, parse_source

    try:
        found = parse_source(text if "://" in text else f"{source.value}://{text}")
    except SourceError as error:
        raise typer.BadParameter(str(error), param_hint="REPOSITORY") from None
    if found.kind not in (SourceKind.HUGGING_FACE, SourceKind.MODEL_SCOPE):
        raise typer.BadParameter("name a repository: owner/name", param_hint="REPOSITORY")
    return found.kind.value, found.location, found.revision


def _print_files(view: HubFilesView) -> None:
    print_facts(
        [
            ("Repository", f"{view.hub}://{view.repository}"),
            ("Commit", view.revision),
            ("Model", view.architecture or ""),
            ("Can", ", ".join(view.capabilities)),
            ("Context", f"{view.context_length} tokens" if view.context_length else ""),
            ("Licence", f"{view.license or ''}{' (gated)' if view.gated else ''}".strip()),
            ("Code", f"{', '.join(view.code_files)}{' (allowed)' if view.code_approved else ''}"),
        ]
    )
    if view.choices:
        typer.echo()
        headings = ("CHOICE", "SIZE", "FITS", "ENGINE", "PROJECTOR", "DEPLOY WITH")
        print_table(headings, (_choice_row(choice) for choice in view.choices))
    for why in (*((view.problem,) if view.problem else ()), *view.notes):
        typer.echo(f"\n! {why.message}\n  {why.remedy}")


def _choice_row(choice: ChoiceView) -> tuple[str, ...]:
    from aimindserve.cli.fit_text import mark_text
    from aimindserve.domain.units import format_bytes

    name = f"{choice.quantization or 'as it is'}{' (default)' if choice.default else ''}"
    fits = choice.refused.message if choice.refused else mark_text(choice)
    return name, format_bytes(choice.size), fits, choice.engine, choice.projector or "", choice.source


@app.command(epilog="Example: aimindserve hub check")
def check(data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Ask the hubs whether they answer and whose the tokens are. Exit code 1 when one does not."""
    with connect(data_dir) as client:
        found = client.check_hubs()
    if output is Format.JSON:
        print_models(found)
    else:
        rows = (
            (
                one.hub,
                "yes" if one.reachable else "no",
                one.account or "",
                f"{one.milliseconds:.0f} ms" if one.milliseconds is not None else "",
                f"{one.problem.message} {one.problem.remedy}" if one.problem else "",
            )
            for one in found
        )
        print_table(("HUB", "ANSWERS", "ACCOUNT", "TIME", "PROBLEM"), rows)
    if any(one.problem for one in found):
        raise typer.Exit(1)


@token_app.command("set", epilog="Example: aimindserve hub token set hf < token.txt")
def set_token(
    hub: HubArgument,
    from_env: Annotated[
        bool, typer.Option("--from-env", help="Take it from HF_TOKEN or MODELSCOPE_API_TOKEN.")
    ] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Store a token, read from standard input or asked for without showing it. Never give it as an argument: others
    on the machine could read it there."""
    from pydantic import ValidationError

    from aimindserve.domain.views_hub import TokenRequest

    try:
        request = TokenRequest(token=_token(hub, from_env=from_env))
    except ValidationError:
        raise CommandError(
            "This is no token: it is empty, too long, or holds blanks.", "Copy it again, on one line.", code="no_token"
        ) from None
    with connect(data_dir) as client:
        client.store_hub_token(hub.value, request)
    if output is Format.JSON:
        print_json({"stored": hub.value})
    else:
        typer.echo(f"Stored the token of {hub.value}. Check it with: aimindserve hub check")


def _token(hub: HubName, *, from_env: bool) -> str:
    if from_env:
        return os.environ.get(_VARIABLES[hub], "").strip()
    if sys.stdin.isatty():
        return str(typer.prompt("Token", hide_input=True, err=True)).strip()
    return sys.stdin.read(4096).strip()


@token_app.command("rm", epilog="Example: aimindserve hub token rm hf")
def remove_token(hub: HubArgument, data_dir: DataDir = None, output: Output = Format.TEXT) -> None:
    """Forget a token, stored or given at the start."""
    with connect(data_dir) as client:
        client.remove_hub_token(hub.value)
    if output is Format.JSON:
        print_json({"removed": hub.value})
    else:
        typer.echo(f"No token of {hub.value} is kept any more.")
