"""What every engine's recipe keeps."""

import json
from typing import Any

import pytest

from aimindserve.domain.explanations import sentence
from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile
from aimindserve.domain.nodes import DeviceKind, EngineInstall
from aimindserve.domain.params import Origin
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.engines._base import Engine, LaunchOrder, Machine
from aimindserve.engines._registry import ENGINES, choose_engine

MACHINE = Machine(physical_cores=4)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def facts(engine: Engine) -> ModelFacts:
    weights = ModelFile(path="/models/w", role=FileRole.WEIGHTS, size=7)
    return ModelFacts(format=engine.formats[0], architecture="qwen2vl", name="m", files=(weights,), weight_bytes=7)


@pytest.fixture
def install(engine: Engine) -> EngineInstall:
    return EngineInstall(engine=engine.name, flavour="llama-server", version="1", path="/bin/engine")


def test_it_finds_its_program(engine: Engine, facts: ModelFacts, install: EngineInstall) -> None:
    other = install.model_copy(update={"engine": "other"})
    assert engine.choose_install(facts, [other, install], None) == install
    assert engine.choose_install(facts, [other, install], "1") == install
    for installs, wanted in (([other], None), ([install], "2")):
        missing = engine.choose_install(facts, installs, wanted)
        assert isinstance(missing, Reason)
        assert missing.code is ReasonCode.ENGINE_NOT_INSTALLED
        assert missing.params["install"]


def test_it_is_found_by_its_name_and_its_formats(engine: Engine, facts: ModelFacts) -> None:
    assert ENGINES[engine.name] is engine
    assert choose_engine(engine.name, facts) is engine
    assert choose_engine("auto", facts) in ENGINES.values()


def test_its_own_choice_is_never_refused(engine: Engine, facts: ModelFacts, install: EngineInstall) -> None:
    plan = engine.plan(facts, (), {}, MACHINE, install)
    assert plan.refusals == ()
    for item in plan.parameters:
        assert item.origin is not Origin.YOURS
        assert sentence(item.why, "en") != sentence(item.why, "zh")


def test_its_schema_is_json(engine: Engine) -> None:
    schema: Any = json.loads(json.dumps(engine.parameter_schema()))
    assert schema["type"] == "object"
    assert all(flag.startswith("--") for flag in schema["properties"])


def test_what_the_schema_offers_is_accepted(engine: Engine, facts: ModelFacts, install: EngineInstall) -> None:
    schema: Any = engine.parameter_schema(install.flavour)
    for flag, kind in schema["properties"].items():
        number = str(min(1.5, kind.get("maximum", 1.5)))
        examples = {"integer": str(int(kind.get("minimum", 1))), "number": number, "object": "{}"}
        example = examples.get(kind["type"], "1")
        value = kind["enum"][0] if "enum" in kind else example
        given = flag if kind["type"] == "boolean" else f"{flag}={value}"
        assert engine.plan(facts, (given,), {}, MACHINE, install).refusals == (), given


def test_it_listens_on_loopback_and_keeps_the_key_out_of_sight(
    engine: Engine, facts: ModelFacts, install: EngineInstall
) -> None:
    order = LaunchOrder(facts, (), {}, MACHINE, install, alias="public", port=4321, key_file="/run/key")
    launch = engine.launch(order)
    assert launch.argv[0] == "/bin/engine"
    assert {"127.0.0.1", "4321", "public"} <= set(launch.argv)
    assert {"/models/w", "/models"} & set(launch.argv)
    assert ("/run/key" in launch.argv) != (launch.key_variable is not None)
    assert not any(word.startswith("--api-key=") or word == "--api-key" for word in launch.argv)


@pytest.mark.parametrize(
    ("parameter", "code"),
    [
        ("--port=1", ReasonCode.PARAMETER_MANAGED),
        ("--no-such-parameter", ReasonCode.PARAMETER_UNKNOWN),
        ("; rm -rf /", ReasonCode.PARAMETER_UNKNOWN),
        ("$(id)", ReasonCode.PARAMETER_UNKNOWN),
    ],
)
def test_it_guards_its_command_line(engine: Engine, facts: ModelFacts, parameter: str, code: ReasonCode) -> None:
    assert [why.code for why in engine.plan(facts, (parameter,), {}, MACHINE).refusals] == [code]


def test_it_estimates_its_memory(engine: Engine, facts: ModelFacts) -> None:
    estimate = engine.estimate(facts, engine.plan(facts, (), {}, MACHINE))
    assert estimate.total >= facts.weight_bytes
    assert all(item.bytes >= 0 for item in estimate.items)


def test_it_runs_somewhere(engine: Engine, install: EngineInstall) -> None:
    kinds = engine.device_kinds(install)
    assert kinds
    assert all(isinstance(kind, DeviceKind) for kind in kinds)


def test_an_empty_log_tells_nothing(engine: Engine, facts: ModelFacts) -> None:
    assert engine.explain([], facts, None).reason is None
