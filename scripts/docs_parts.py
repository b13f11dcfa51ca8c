"""The tables that ``gen_docs.py`` writes into the documentation, from the code's own lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from docs_chinese import POLICIES, SETTINGS, VALUES
from pydantic.fields import FieldInfo

from aimindserve.domain.reason_texts import TEXTS
from aimindserve.domain.reasons import Language, ReasonCode
from aimindserve.engines._flags import Flag, Kind
from aimindserve.engines._flags import Policy as FlagPolicy
from aimindserve.engines.llama_flags import LLAMA_FLAGS
from aimindserve.engines.vllm_data import READ
from aimindserve.engines.vllm_flags import flag_table
from aimindserve.server.settings import SECRET_NAMES, Settings

OPENAPI = Path(__file__).resolve().parent.parent / "ui" / "openapi.json"
_MIB = 1024**2


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def reason_table(language: Language) -> str:
    """One row for each reason, in the order of the list; values stand as ``{name}``."""
    head = ("code", "what happened", "what to do") if language == "en" else ("代码", "发生了什么", "怎么办")
    rows: list[tuple[str, str, str]] = []
    for code in ReasonCode:
        words = TEXTS[code].zh if language == "zh" else TEXTS[code].en
        rows.append((f"`{code}`", _with_placeholders(words.message), _with_placeholders(words.remedy)))
    return _table(head, rows)


def _with_placeholders(text: str) -> str:
    return _cell(re.sub(r"\{(\w+)[^}]*\}", r"`{\1}`", text))


def setting_table(language: Language) -> str:
    """One row for each setting, with its default.

    Raises:
        ValueError: a setting has no Chinese description.
    """
    untold = set(Settings.model_fields) - set(SETTINGS)
    if untold:
        raise ValueError(f"say in scripts/docs_chinese.py what these settings mean: {', '.join(sorted(untold))}")
    head = ("setting", "default", "meaning") if language == "en" else ("设置", "默认值", "含义")
    rows: list[tuple[str, str, str]] = []
    for name, field in Settings.model_fields.items():
        meaning = (field.description or "") if language == "en" else SETTINGS[name]
        rows.append((f"`{name}`", _default(name, field), _cell(meaning)))
    return _table(head, rows)


def _default(name: str, field: FieldInfo) -> str:
    """A default as one would write it; empty where it depends on the machine or there is none."""
    value: Any = field.default
    if field.is_required() or field.default_factory is not None or value in (None, "", ()) or name in SECRET_NAMES:
        return ""
    if name.endswith("_bytes"):
        return f"`{value // _MIB}MiB`" if value >= _MIB else f"`{value // 1024}KiB`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`{_choices(field.annotation)}"


def _choices(annotation: Any) -> str:
    others = [str(one) for one in get_args(annotation)] if get_origin(annotation) is not None else []
    return f" ({', '.join(others)})" if others and all(re.fullmatch(r"[a-z]+", one) for one in others) else ""


def vllm_table(language: Language) -> str:
    """What may be set for vLLM, with the versions whose own parser was read and takes it."""
    tables = {version: flag_table(version) for version in READ}
    flags: dict[str, Flag] = {}
    for table in tables.values():
        flags.update({flag.name: flag for flag in table.flags if flag.policy is FlagPolicy.ALLOWED})
    head = ("argument", "value", "versions") if language == "en" else ("参数", "取值", "版本")
    rows = [
        (
            f"`{name}`",
            _value(flags[name], language),
            _versions([one for one in READ if tables[one].find(name)], language),
        )
        for name in sorted(flags)
    ]
    return _table(head, rows)


def llama_table(language: Language) -> str:
    """What may be set for llama.cpp, with the other spellings of each flag."""
    head = ("argument", "also", "value") if language == "en" else ("参数", "其他写法", "取值")
    allowed = [flag for flag in LLAMA_FLAGS.flags if flag.policy is FlagPolicy.ALLOWED]
    return _table(
        head,
        (
            (f"`{flag.name}`", " ".join(f"`{other}`" for other in flag.others), _value(flag, language))
            for flag in sorted(allowed, key=lambda flag: flag.name)
        ),
    )


def _value(flag: Flag, language: Language) -> str:
    if flag.kind is Kind.CHOICE:
        return _cell(" | ".join(f"`{choice}`" for choice in flag.choices))
    kind = str(flag.kind) if language == "en" else VALUES[flag.kind]
    bounds = f" ({flag.low:g} … {flag.high:.0f})" if flag.low is not None and flag.high is not None else ""
    return kind + bounds


def _versions(found: Sequence[str], language: Language) -> str:
    if len(found) == len(READ):
        return "all" if language == "en" else "全部"
    return found[0] if len(found) == 1 else f"{found[0]} – {found[-1]}"


def api_table(language: Language) -> str:
    """One table of routes for each part of the management API."""
    routes: dict[str, list[tuple[str, str, str]]] = {}
    for path, methods in json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"].items():
        for method, operation in methods.items():
            policy = operation["x-policy"]
            who = policy if language == "en" else POLICIES[policy]
            row = (f"`{method.upper()} {path}`", who, _cell(operation.get("description", "")))
            routes.setdefault(operation["tags"][0], []).append(row)
    head = ("route", "who", "does") if language == "en" else ("接口", "权限", "作用")
    return "\n\n".join(f"## {tag}\n{_table(head, rows)}" for tag, rows in routes.items())
