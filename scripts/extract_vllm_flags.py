"""Writes down what one version of vLLM takes on its command line and which models it knows.

    PYTHON-WITH-VLLM scripts/extract_vllm_flags.py [--source FOLDER] > src/aimindserve/engines/data/vllm-VERSION.json

The flags come from the real parser of ``vllm serve``, asked action by action; what an action takes is found by giving
it examples. ``--source``: a folder with the package ``vllm`` (an unpacked wheel or source archive) to read in place of
the installed one, so that a version's own parser is read without its own torch. ``--version``: what to call it. A
new version goes into ``READ`` in ``engines/vllm_data.py``.
"""

import argparse
import ast
import contextlib
import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Where versions keep the parser of ``vllm serve``.
PARSERS = ("openai", "launchers", "common")


def takes(action: argparse.Action, text: str) -> bool:
    """Whether the action's type takes ``text``."""
    convert: Any = action.type
    try:
        convert(text)
    except (ValueError, TypeError, argparse.ArgumentTypeError):
        return False
    except Exception:  # noqa: BLE001 - a validator may raise errors of its own; all say no
        return False
    return True


def kind_of(action: argparse.Action) -> str:
    """What follows the flag: one of the kinds of ``engines/_flags.py``, or ``size`` (1k, 2M) and ``json``."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return "switch"
    if action.choices is not None:
        return "choice"
    if action.type is None or action.type is str or takes(action, "two words"):
        return "text"
    if takes(action, "{}"):
        return "json"
    if takes(action, "1.5k") or takes(action, "1k"):
        return "size"
    if takes(action, "1.5"):
        return "number"
    return "integer" if takes(action, "1") else "text"


def described(action: argparse.Action) -> dict[str, Any]:
    """One flag as data; what is empty is left out."""
    spellings = action.option_strings
    name = next(spelling for spelling in spellings if spelling.startswith("--"))
    opposite = {f"--no-{name[2:]}", name.replace("--enable-", "--disable-"), name.replace("--disable-", "--enable-")}
    negative = [other for other in spellings if other != name and other in opposite and kind_of(action) == "switch"]
    names = [spelling for spelling in spellings if spelling not in negative]
    words = ("auto",) if kind_of(action) in {"size", "integer", "number"} and takes(action, "auto") else ()
    found: dict[str, Any] = {
        "name": name,
        "kind": kind_of(action),
        "others": [other for other in names if other != name],
        "negative": negative,
        "choices": [str(choice) for choice in action.choices or ()],
        "words": list(words),
        "several": action.nargs in {"*", "+"},
        "deprecated": bool(getattr(action, "deprecated", False)) or "deprecated" in (action.help or "").lower()[:40],
    }
    return {key: value for key, value in found.items() if value}


def flags(of: argparse.ArgumentParser) -> list[dict[str, Any]]:
    """Every flag of a parser but its help, by name."""
    actions: Iterable[argparse.Action] = of._actions  # noqa: SLF001 - argparse has no other list
    there = [action for action in actions if action.option_strings and action.dest != "help"]
    return sorted((described(action) for action in there), key=lambda flag: str(flag["name"]))


def tables(source: Path) -> tuple[list[str], dict[str, str]]:
    """Architectures that the version runs, and those that an earlier one ran, by the last version that did."""
    tree = ast.parse((source / "model_executor" / "models" / "registry.py").read_text(encoding="utf-8"))
    known: set[str] = set()
    gone: dict[str, str] = {}
    for node in tree.body:
        target: Any = getattr(node, "target", None) or next(iter(getattr(node, "targets", [])), None)
        value = getattr(node, "value", None)
        if not isinstance(target, ast.Name) or not isinstance(value, ast.Dict):
            continue
        keys = [str(key.value) for key in value.keys if isinstance(key, ast.Constant)]
        if target.id == "_PREVIOUSLY_SUPPORTED_MODELS":
            gone = {key: ast.literal_eval(last) for key, last in zip(keys, value.values, strict=True)}
        elif target.id.endswith("_MODELS") and "SPECULATIVE" not in target.id and "TRANSFORMERS" not in target.id:
            known.update(keys)
    return sorted(known - set(gone)), gone


def parser() -> argparse.ArgumentParser:
    """The parser of ``vllm serve``, filled by the version's own code."""
    utilities = "vllm.utils.argparse_utils" if _is_there("vllm.utils.argparse_utils") else "vllm.utils"
    flexible: Any = importlib.import_module(utilities).FlexibleArgumentParser
    modules = (f"vllm.entrypoints.{place}.cli_args" for place in PARSERS)
    there = [importlib.import_module(name) for name in modules if _is_there(name)]
    make = next(module.make_arg_parser for module in there if hasattr(module, "make_arg_parser"))
    return make(flexible(prog="vllm serve", add_help=False))


def _is_there(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("vllm"):
            raise
        return False
    return True


def main() -> None:
    """Print the data of one version."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--source", type=Path)
    reader.add_argument("--version", required=True)
    wanted = reader.parse_args()
    if wanted.source:
        sys.path.insert(0, str(wanted.source))
    # The docstrings of the options are only read when help was asked for.
    sys.argv = ["vllm", "serve", "--help=all"]
    with contextlib.redirect_stdout(sys.stderr):
        vllm = importlib.import_module("vllm")
        known, gone = tables(Path(str(vllm.__file__)).parent)
        lines = ",\n".join(json.dumps(flag) for flag in flags(parser()))
    print(f'{{"version": {json.dumps(wanted.version)},')
    print(f'"flags": [\n{lines}\n],')
    print(f'"architectures": {json.dumps(known)},')
    print(f'"gone": {json.dumps(gone, sort_keys=True)}}}')


if __name__ == "__main__":
    main()
