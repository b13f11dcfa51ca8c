"""The emulated engine's command line: its own knobs (``--fake-…``) and the flags of the program that it plays."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aimindserve.engines._flags import Given, Malformed
from aimindserve.engines.llama_flags import LLAMA_FLAGS

LLAMA_SERVER, LLAMA_BOX, VLLM = "llama-server", "llama-box", "vllm"
FLAVOURS = (LLAMA_SERVER, LLAMA_BOX, VLLM)
OUT_OF_MEMORY = ("oom", "oom-weights", "oom-compute", "oom-vision", "oom-graphs")
START_FAILURES = (*OUT_OF_MEMORY, "corrupt", "architecture", "mismatch", "port", "illegal", "argument", "load")
SIGHTS = ("passes", "wrong", "refused", "silent")
EXITS = ("kill", "segv", "abort", "0", "1", "2")


class UsageError(ValueError):
    """The command line is wrong, in the words of the program that is played."""


@dataclass(slots=True)
class Options:
    """How the engine runs. ``knobs`` are the fixed ``--fake-…`` settings, the rest is what a real engine is told."""

    knobs: argparse.Namespace
    flavour: str
    host: str = "127.0.0.1"
    port: int = 8080
    model: str = ""
    projector: str = ""
    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    context: int = 4096
    arguments: tuple[str, ...] = field(default=())


def _own_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fake_engine", add_help=False, allow_abbrev=False)
    parser.add_argument("--fake-flavour", choices=FLAVOURS)
    parser.add_argument("--fake-start-delay", type=float, default=0.0)
    parser.add_argument("--fake-listen-delay", type=float, default=0.0)
    parser.add_argument("--fake-never-ready", action="store_true")
    parser.add_argument("--fake-health-status", type=int)
    parser.add_argument("--fake-fail-start", choices=START_FAILURES)
    parser.add_argument("--fake-fail-times", type=int)
    parser.add_argument("--fake-cache-tokens", type=int)
    parser.add_argument("--fake-state", type=Path)
    parser.add_argument("--fake-ledger", type=Path)
    parser.add_argument("--fake-crash-after", type=float)
    parser.add_argument("--fake-exit", choices=EXITS, default="kill")
    parser.add_argument("--fake-freeze-after", type=float)
    parser.add_argument("--fake-child", choices=("obedient", "ignores-term", "holds-port"))
    parser.add_argument("--fake-ignore-term", action="store_true")
    parser.add_argument("--fake-term-delay", type=float, default=0.0)
    parser.add_argument("--fake-memory-mib", type=int, default=0)
    parser.add_argument("--fake-sight", choices=SIGHTS, default="passes")
    parser.add_argument("--fake-request", action="append", default=[], metavar="KNOB=VALUE")
    return parser


def read_options(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """The options of a command line.

    Raises:
        UsageError: a flag or value that the played program refuses.
    """
    knobs, rest = _own_parser().parse_known_args(arguments)
    flavour = knobs.fake_flavour or (VLLM if rest[:1] == ["serve"] else LLAMA_SERVER)
    options = Options(knobs, flavour, arguments=tuple(rest))
    if flavour == VLLM:
        _read_vllm(options, rest, environment)
    else:
        _read_llama(options, rest, environment)
    return options


def _read_llama(options: Options, words: Sequence[str], environment: Mapping[str, str]) -> None:
    values: dict[str, str] = {}
    for part in LLAMA_FLAGS.parse(words):
        if isinstance(part, Malformed):
            raise UsageError(f'error while handling argument "{part.flag.name}": expected {part.expected}')
        if not isinstance(part, Given):
            raise UsageError(f"invalid argument: {part.spelling}")
        values[part.flag.name] = part.value or ""
    options.host = values.get("--host", options.host)
    options.port = int(values.get("--port", options.port))
    options.model, options.projector = values.get("--model", ""), values.get("--mmproj", "")
    options.context = int(values.get("--ctx-size", options.context))
    alias = values.get("--alias") or Path(options.model).name or "fake"
    options.names = tuple(name for name in alias.split(",") if name)
    given = [values.get("--api-key", ""), environment.get("LLAMA_API_KEY", "")]
    if "--api-key-file" in values:
        given += _lines_of(values["--api-key-file"])
    options.keys = tuple(key for text in given for key in text.split(",") if key)


def _lines_of(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").split()
    except OSError as error:
        raise UsageError(f"error while handling argument --api-key-file: failed to open file '{path}'") from error


def _read_vllm(options: Options, words: Sequence[str], environment: Mapping[str, str]) -> None:
    parser = argparse.ArgumentParser(prog="vllm", add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("command", nargs="?")
    parser.add_argument("model_tag", nargs="?", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--served-model-name", nargs="+", default=[])
    parser.add_argument("--api-key", nargs="+", default=[])
    parser.add_argument("--max-model-len", type=int, default=4096)
    parser.add_argument("--limit-mm-per-prompt", default="{}")
    try:
        found, unknown = parser.parse_known_args(list(words))
    except argparse.ArgumentError as error:
        raise UsageError(f"vllm serve: error: {error}") from error
    if "task" in {word.removeprefix("--").partition("=")[0] for word in unknown}:
        raise UsageError("vllm: error: unrecognized arguments: --task")
    if not found.limit_mm_per_prompt.startswith("{"):
        value = found.limit_mm_per_prompt
        message = f"Value {value} cannot be converted to <function loads at 0x7f0000000000>."
        raise UsageError(f"vllm serve: error: argument --limit-mm-per-prompt: {message}")
    options.host, options.port = found.host, found.port
    options.model = found.model or found.model_tag
    options.names = tuple(found.served_model_name) or (options.model or "fake",)
    options.keys = tuple(found.api_key) or tuple(filter(None, [environment.get("VLLM_API_KEY", "")]))
    options.context = found.max_model_len
