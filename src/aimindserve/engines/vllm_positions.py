"""Contexts above what a model was trained on: vLLM does not start with one, unless the user stretches the positions."""

import re
from collections.abc import Mapping
from typing import cast

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.params import EngineParameter
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.engines._flags import Given, Parsed
from aimindserve.engines.vllm_flags import has_flag
from aimindserve.engines.vllm_words import read_object

_OVERRIDES, _SCALING = "--hf-overrides", "--rope-scaling"
_STRETCHES = (_OVERRIDES, _SCALING, "--rope-theta")
# With this a user says that he knows what he does.
_ALLOWED = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
# What may be overridden in a model's configuration: nothing that names code, files or another architecture.
_FIELDS = frozenset({"rope_scaling", "rope_parameters", "rope_theta", "max_position_embeddings"})
_KIND = re.compile(r"[a-z0-9_]{1,32}")


def overrides_positions(part: Parsed) -> bool:
    """Whether an argument changes the model's configuration, and nothing of it but how positions are scaled."""
    if not isinstance(part, Given) or part.flag.name != _OVERRIDES:
        return False
    return _is_about_positions(read_object(part.value))


def _is_about_positions(fields: Mapping[str, object]) -> bool:
    inner = fields.get("text_config", {})
    nested = isinstance(inner, dict) and (not inner or _is_about_positions(cast("dict[str, object]", inner)))
    own = {name: value for name, value in fields.items() if name != "text_config"}
    return bool(fields) and nested and all(name in _FIELDS and _is_plain(value) for name, value in own.items())


def _is_plain(value: object) -> bool:
    """Numbers, and in an object the name of a way to scale."""
    if isinstance(value, dict):
        return all(_is_plain(part) or _is_kind(part) for part in cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return all(isinstance(part, int | float) for part in cast("list[object]", value))
    return value is None or isinstance(value, int | float)


def _is_kind(value: object) -> bool:
    return isinstance(value, str) and _KIND.fullmatch(value) is not None


def too_long(
    facts: ModelFacts, version: str, yours: Mapping[str, EngineParameter], env: Mapping[str, str]
) -> Reason | None:
    """The user wants a longer context than the model was trained on, and does not stretch it."""
    given, trained = yours.get("--max-model-len"), facts.context_length
    tokens = int(given.value) if given and given.value and given.value.isdigit() else 0
    if not trained or tokens <= trained or any(flag in yours for flag in _STRETCHES) or _ALLOWED in env:
        return None
    scaling = (
        f'{{"rope_type": "yarn", "factor": {-(-tokens // trained)}.0, "original_max_position_embeddings": {trained}}}'
    )
    stretch = (
        f"{_SCALING}={scaling}" if has_flag(version, _SCALING) else f'{_OVERRIDES}={{"rope_parameters": {scaling}}}'
    )
    told = {"flag": "--max-model-len", "most": trained, "stretch": stretch}
    return reason(ReasonCode.CONTEXT_TOO_LONG, tokens=tokens, trained=trained, **told)
