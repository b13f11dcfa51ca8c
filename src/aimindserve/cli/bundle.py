"""``aimindserve bundle …``: models and engines for machines without internet, in one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aimindserve.cli.account import become_owner
from aimindserve.cli.connection import resolve_data_dir
from aimindserve.cli.output import CommandError, DataDir, Format, Output, print_facts, print_json, refusal

if TYPE_CHECKING:
    from aimindserve.domain.archives import BundleManifest

app = typer.Typer(
    help="Models and engines for machines without internet, in one file.", no_args_is_help=True, rich_markup_mode=None
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A bundle.")]


@app.command(epilog="Example: aimindserve bundle create vision.tar --model hf://Qwen/Qwen2-VL-7B-Instruct")
def create(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle to write.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Source of a model, such as hf://org/repo:Q4_K_M; repeat it.")
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option("--engine", help="vllm==VERSION; its wheels are fetched by pip. Repeat it.")
    ] = None,
    wheels: Annotated[
        Path | None, typer.Option("--wheels", help="Folder with wheels of aiMindServe itself, for install.sh.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of this name.")] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Put models of this machine's store, engines and wheels into one file with checksums. Models that are not here yet
    are fetched first when the server runs."""
    from aimindserve import __version__
    from aimindserve.domain.reasons import ReasonCode, reason
    from aimindserve.node.bundle import make_bundle, named_engines, stored_models
    from aimindserve.node.store import Store

    folder, target = resolve_data_dir(data_dir), file.absolute()
    store = Store(folder / "models")

    def work() -> BundleManifest:
        engines = named_engines(engine or [])
        models = _with_fetching(lambda: stored_models(store, model or []), model or [], data_dir)
        if target.exists() and not force:
            raise refusal(reason(ReasonCode.FILE_EXISTS, path=str(target)))
        return make_bundle(target, store, models, engines, wheels, __version__)

    _tell(_told(work, target), {"file": str(target), "bytes": target.stat().st_size}, output)


def _with_fetching(look: Callable[[], list[Any]], sources: list[str], data_dir: str | None) -> list[Any]:
    """What ``look`` finds; what it misses is fetched by the server, where one runs."""
    from aimindserve.cli.connection import connect
    from aimindserve.cli.files import fetch_models
    from aimindserve.node.archive import ArchiveError

    try:
        return look()
    except ArchiveError as missing:
        try:
            with connect(data_dir) as client:
                fetch_models(client, sources)
        except CommandError as error:
            raise (missing if error.code == "not_running" else error) from None
        return look()


@app.command(epilog="Example: aimindserve bundle show vision.tar")
def show(file: File, output: Output = Format.TEXT) -> None:
    """Tell what a bundle holds."""
    from aimindserve.node.bundle import read_bundle

    _tell(_told(lambda: read_bundle(file), file), {"file": str(file)}, output)


@app.command(epilog="Example: aimindserve bundle load vision.tar")
def load(
    file: File,
    models_only: Annotated[bool, typer.Option("--models-only", help="Leave engines and wheels out.")] = False,
    data_dir: DataDir = None,
    output: Output = Format.TEXT,
) -> None:
    """Check a bundle as a whole, then bring its models into the store and its engines into the data folder.

    A server may run; it finds them by itself."""
    from aimindserve.node.bundle import load_bundle

    folder = resolve_data_dir(data_dir)
    become_owner(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest, wheels = _told(lambda: load_bundle(file.absolute(), folder, engines=not models_only), file)
    shown = {"data_dir": str(folder), "wheels": str(wheels) if wheels else None}
    _tell(manifest, shown, output)


def _told(work: Callable[[], Any], file: Path) -> Any:
    """Do it; what goes wrong is told with its remedy."""
    from aimindserve.domain.reasons import ReasonCode, reason
    from aimindserve.node.archive import ArchiveError

    try:
        return work()
    except ArchiveError as error:
        raise refusal(error.why) from None
    except OSError as error:
        place, detail = str(error.filename or file), error.strerror or str(error)
        raise refusal(reason(ReasonCode.FILE_FAILED, path=place, detail=detail)) from None


def _tell(manifest: BundleManifest, facts: dict[str, Any], output: Format) -> None:
    from aimindserve.domain.archives import WHEELS_FOLDER

    models = [one.source for one in manifest.models]
    engines = [f"{one.engine} {one.version}" for one in manifest.engines]
    own = [entry.name for entry in manifest.entries if entry.name.startswith(f"{WHEELS_FOLDER}/")]
    if output is Format.JSON:
        known = manifest.model_dump(mode="json", include={"version", "made_at", "python", "platform"})
        print_json({**facts, **known, "models": models, "engines": engines, "wheels_inside": len(own)})
        return
    shown = [(name.replace("_", " "), str(value)) for name, value in facts.items() if value is not None]
    held = [*(("model", one) for one in models), *(("engine", one) for one in engines)]
    if own:
        held.append((WHEELS_FOLDER, f"{len(own)} (Python {manifest.python}, {manifest.platform})"))
    print_facts([*shown, *held])
