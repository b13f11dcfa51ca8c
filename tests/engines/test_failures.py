"""Causes of failed starts, recognised in lines that engines wrote, with what is offered for each."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.domain import memory_models as models

from aimindserve.domain.offers import OfferKind, less, offer_for, worded
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import DeploymentPatch, DeploymentSpec
from aimindserve.engines._diagnosis import Diagnosis, last_errors
from aimindserve.engines._registry import ENGINES

CORPUS = Path(__file__).with_name("data") / "failures.toml"
FAILURES: list[dict[str, Any]] = tomllib.loads(CORPUS.read_text(encoding="utf-8"))["failure"]
each = pytest.mark.parametrize("failure", FAILURES, ids=lambda one: f"{one['engine']}-{one['name']}")
AROUND = ["INFO 11-25 10:00:00 starting", "INFO 11-25 10:00:01 the last line before the end"]


def diagnosed(failure: dict[str, Any]) -> Diagnosis:
    lines = [AROUND[0], *failure["lines"], AROUND[1]]
    return ENGINES[failure["engine"]].explain(lines, models.PHI_3_5, None)


def plain(patch: object) -> Any:
    """A patch as it travels."""
    return json.loads(json.dumps(patch))


def spec_of(failure: dict[str, Any]) -> DeploymentSpec:
    return DeploymentSpec(name="eye", source="file:///m", parameters=tuple(failure.get("parameters", ())))


@each
def test_the_cause_is_recognised_and_the_line_that_shows_it_is_kept(failure: dict[str, Any]) -> None:
    found = diagnosed(failure)
    assert found.reason is not None
    assert found.reason.code == failure["code"]
    for name, value in failure.get("params", {}).items():
        assert found.reason.params[name] == value
    assert 1 <= len(found.evidence) <= 5
    assert any(line.startswith(found.evidence[0][:60]) for line in failure["lines"])
    for language in ("en", "zh"):
        assert "?" not in "".join(explain(found.reason, language))


@each
def test_what_is_offered_is_a_change_that_the_deployment_takes(failure: dict[str, Any]) -> None:
    cause = diagnosed(failure).reason
    assert cause is not None
    spec = spec_of(failure)
    offer = offer_for(cause, spec, failure["engine"])
    if "offer" not in failure:
        assert offer is None
        return
    assert offer is not None
    assert (offer.kind.value, plain(offer.patch)) == (failure["offer"], failure["patch"])
    changed = DeploymentPatch.model_validate(offer.patch).apply(spec)
    assert changed != spec
    assert offer_for(cause, changed, failure["engine"]) is None, "it is not offered again"
    for language in ("en", "zh"):
        assert "?" not in worded(offer, language)


def test_there_are_many_causes_and_each_line_has_its_source() -> None:
    assert len({(one["engine"], one["code"]) for one in FAILURES}) >= 30
    assert len({one["code"] for one in FAILURES}) >= 25
    assert all(one["source"].startswith(("https://github.com/", "run: ", "source: ")) for one in FAILURES)


@pytest.mark.parametrize("engine", ["vllm", "llama.cpp"])
def test_an_unknown_cause_shows_the_last_errors_honestly(engine: str) -> None:
    lines = ["all is well", "E something odd failed", "and more", "a last word"]
    found = ENGINES[engine].explain(lines, models.PHI_3_5, None)  # type: ignore[index]
    assert found == Diagnosis(None, ("E something odd failed",))
    assert last_errors(["one", "", "two"]) == ("one", "two")
    assert last_errors([]) == ()
    assert len(last_errors([f"error {number} " + "x" * 1000 for number in range(50)])[0]) == 300


@pytest.mark.parametrize(
    ("why", "engine", "patch"),
    [
        pytest.param(
            reason(ReasonCode.ARCHITECTURE_DROPPED, version="0.33.0", architecture="Mllama", last="0.10.2"),
            "vllm",
            {"engine_version": "0.10.2"},
            id="the version that runs it",
        ),
        pytest.param(
            reason(ReasonCode.PICTURE_REFUSED, detail="400"),
            "vllm",
            {"parameters": ['--limit-mm-per-prompt={"image": 0}']},
            id="text alone on vLLM",
        ),
        pytest.param(
            reason(ReasonCode.PICTURE_REFUSED, detail="400"),
            "llama.cpp",
            {"parameters": ["--no-mmproj"]},
            id="text alone on llama.cpp",
        ),
        pytest.param(reason(ReasonCode.ENGINE_KILLED, signal="KILL"), "vllm", None, id="nothing to change"),
    ],
)
def test_offers_for_what_no_log_tells(why: Reason, engine: str, patch: dict[str, Any] | None) -> None:
    offer = offer_for(why, DeploymentSpec(name="eye", source="file:///m"), engine)  # type: ignore[arg-type]
    assert (plain(offer.patch) if offer else None) == patch


def test_the_smaller_parameters_of_a_refused_retry() -> None:
    offer = less(("--ctx-size=8192",))
    assert (offer.kind, plain(offer.patch)) == (OfferKind.LESS, {"parameters": ["--ctx-size=8192"]})
    assert "--ctx-size=8192" in worded(offer, "en")
