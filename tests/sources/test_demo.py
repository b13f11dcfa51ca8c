"""``demo://``: the model that ships with the product."""

from pathlib import Path

from aimindserve.domain.facts import FileRole, ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.source import parse_source
from aimindserve.sources import resolve


def test_the_demo_model() -> None:
    facts = resolve(parse_source("demo://tiny-vlm"))
    assert isinstance(facts, ModelFacts)
    assert facts.name == "tiny-vlm"
    assert facts.architecture == "qwen2vl"
    assert facts.capabilities == ("chat", "vision")
    assert (facts.image_tokens_min, facts.image_tokens_max) == (16, 16)
    assert [file.role for file in facts.files] == [FileRole.WEIGHTS, FileRole.PROJECTOR]
    for file in facts.files:
        assert Path(file.path).stat().st_size == file.size


def test_other_demos_are_refused() -> None:
    refused = resolve(parse_source("demo://tiny"))
    assert isinstance(refused, Reason)
    assert (refused.code, refused.params) == (ReasonCode.DEMO_UNKNOWN, {"name": "tiny"})
