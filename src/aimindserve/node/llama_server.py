"""llama.cpp's own HTTP server out of the ``xllamacpp`` package, with the command line of ``llama-server``.

``python -m aimindserve.node.llama_server --model M --port P …`` takes the subset of flags that the embedded server can
carry out, listens on loopback only, and ends with 0 on TERM, 1 when the model cannot be served, 2 on a wrong flag.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from aimindserve.engines._flags import Flag, Given, Kind, Malformed
from aimindserve.engines.llama_flags import DEFAULT_ALREADY, LLAMA_FLAGS

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ENUMS = {
    "pooling_type": ("llama_pooling_type", "LLAMA_POOLING_TYPE_"),
    "split_mode": ("llama_split_mode", "LLAMA_SPLIT_MODE_"),
    "cache_type_k": ("ggml_type", "GGML_TYPE_"),
    "cache_type_v": ("ggml_type", "GGML_TYPE_"),
    "load_mode": ("llama_load_mode", "LLAMA_LOAD_MODE_"),
    "numa": ("ggml_numa_strategy", "GGML_NUMA_STRATEGY_"),
    "rope_scaling_type": ("llama_rope_scaling_type", "LLAMA_ROPE_SCALING_TYPE_"),
    "reasoning_format": ("common_reasoning_format", "COMMON_REASONING_FORMAT_"),
}
_FLASH = {"on": "ENABLED", "off": "DISABLED", "auto": "AUTO"}


class UsageError(ValueError):
    """The command line is wrong; the message says how."""


def package_version() -> str | None:
    """The installed version of xllamacpp, None when it is not there."""
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return None


def read_command_line(arguments: Sequence[str]) -> list[Given]:
    """The flags of a command line.

    Raises:
        UsageError: a flag is unknown or not supported here, a value is wrong, or the model is missing.
    """
    given: list[Given] = []
    for part in LLAMA_FLAGS.parse(arguments):
        if isinstance(part, Malformed):
            raise UsageError(f"{part.flag.name} does not take '{part.value}'; expected {part.expected}")
        if not isinstance(part, Given):
            raise UsageError(f"unknown argument: {part.spelling} (did you mean {part.nearest}?)")
        if not part.flag.field:
            raise UsageError(f"argument {part.flag.name} is not supported by the embedded llama.cpp server")
        given.append(part)
    if not any(part.flag.field == "model.path" for part in given):
        raise UsageError("argument --model is required")
    return given


def _value(module: Any, flag: Flag, field: str, text: str) -> Any:
    """``text`` as the type that the server's field has."""
    if field in _ENUMS:
        enum, prefix = _ENUMS[field]
        member = text.upper().replace("+", "_").replace("-", "_")
        return getattr(getattr(module, enum), prefix + member)
    if field == "flash_attn_type":
        return getattr(module.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{_FLASH[text]}")
    if text in {"true", "false"}:
        return text == "true"
    if field == "fit_params":
        return text == "on"
    if flag.kind is Kind.INTEGER:
        return int(text)
    return float(text) if flag.kind is Kind.NUMBER else text


def _gpu_layers(text: str) -> int:
    names = {"auto": -1, "all": -2}
    try:
        return names[text] if text in names else int(text)
    except ValueError as error:
        raise UsageError(f"--n-gpu-layers does not take '{text}'; expected a whole number, auto or all") from error


def _keys(path: str) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").split()
    except OSError as error:
        raise UsageError(f"--api-key-file {path}: {error.strerror}") from error
    if not lines:
        raise UsageError(f"--api-key-file {path} holds no key")
    return lines


def _names(text: str) -> set[str]:
    return {name for name in text.split(",") if name}


def _loopback(host: str) -> list[str]:
    if host not in _LOOPBACK:
        raise UsageError(f"--host does not take '{host}'; expected one of {', '.join(_LOOPBACK)}")
    return [host]


def fill(module: Any, params: Any, given: Sequence[Given]) -> None:
    """Write the flags into the server's parameters. ``module`` is xllamacpp.

    Raises:
        UsageError: a value that only shows here to be wrong (host, key file).
    """
    special: dict[str, Callable[[str], Any]] = {
        "hostnames": _loopback,
        "api_keys": _keys,
        "model_alias": _names,
        "n_gpu_layers": _gpu_layers,
    }
    for part in given:
        field, _, fixed = part.flag.field.partition("=")
        text = fixed or part.value or ""
        if field == DEFAULT_ALREADY:
            continue
        if field == "rerank":
            params.embedding = True
            params.pooling_type = module.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
            continue
        target = params
        *path, name = field.split(".")
        for step in path:
            target = getattr(target, step)
        convert = special.get(field)
        setattr(target, name, convert(text) if convert else _value(module, part.flag, field, text))


def _defaults(params: Any) -> None:
    """Only what serves requests: no page, no list of slots, nobody else's origins, no GPU."""
    params.hostnames, params.port = ["127.0.0.1"], 8080
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.cors_origins = "http://127.0.0.1"
    params.n_gpu_layers = 0
    params.use_jinja = True


def _stop(*_: object) -> NoReturn:
    """End at once: the server's own end would wait half a minute for streams that nobody wants any more."""
    sys.stdout.flush()
    os._exit(0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until TERM or INT; the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    found = package_version()
    if found is None:
        print("error: the package xllamacpp is not installed: pip install xllamacpp", file=sys.stderr)  # noqa: T201
        return 1
    if "--version" in words:
        print(f"version: {found} (xllamacpp)")  # noqa: T201
        return 0
    module: Any = importlib.import_module("xllamacpp")
    params = module.CommonParams()
    _defaults(params)
    try:
        fill(module, params, read_command_line(words))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    # TERM during the load ends the process at once; a handler would only run after it.
    try:
        server = module.Server(params)
    except RuntimeError as error:
        print(f"error: the model cannot be served: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    print(f"listening on {server.listening_address}", flush=True)  # noqa: T201
    while True:
        signal.pause()


if __name__ == "__main__":
    raise SystemExit(main())
