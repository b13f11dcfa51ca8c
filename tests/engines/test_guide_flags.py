"""Every flag of the guide on four versions of vLLM: taken as it is typed, told to the engine as that version's own
parser wants it."""

import json

import pytest
from tests.domain import memory_models as models
from tests.engines.vllm_cases import ENGINE, install, machine

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.params import Origin
from aimindserve.engines._base import LaunchOrder
from aimindserve.engines._flags import Kind
from aimindserve.engines.vllm_data import data_of
from aimindserve.engines.vllm_flags import flag_table

# 0.9.2: the last that took image=4; JSON it took too (arguments of 0.8.5 to 0.10.0 read in their source).
VERSIONS = ("0.9.2", "0.10.2", "0.32.0", "0.33.0")
GUIDE = (
    (models.LLAMA_3_2, "--enforce-eager", None, "--enforce-eager"),
    (models.LLAMA_3_2, "--max-num-seqs", "16", "--max-num-seqs=16"),
    (models.LLAMA_3_2, "--max-model-len", "8192", "--max-model-len=8192"),
    (models.PIXTRAL, "--tokenizer-mode", "mistral", "--tokenizer-mode=mistral"),
    (models.PIXTRAL, "--limit-mm-per-prompt", "image=4", '--limit-mm-per-prompt={"image": 4, "video": 0}'),
    (models.PHI_3_5, "--trust-remote-code", None, "--trust-remote-code"),
)


def typed(flag: str, value: str | None) -> tuple[tuple[str, ...], ...]:
    """The ways in which a person types a flag with its value."""
    return ((flag,),) if value is None else ((f"{flag}={value}",), (flag, value), (f"{flag} {value}",))


def command(facts: ModelFacts, version: str, parameters: tuple[str, ...]) -> tuple[str, ...]:
    order = LaunchOrder(facts, parameters, {}, machine(), install(version), "public", 4242, "/run/key")
    return ENGINE.launch(order).argv


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("facts", "flag", "value", "said"), GUIDE)
def test_a_flag_of_the_guide(facts: ModelFacts, flag: str, value: str | None, said: str, version: str) -> None:
    for parameters in typed(flag, value):
        plan = ENGINE.plan(facts, parameters, {}, machine(), install(version))
        refused = [why.code for why in plan.refusals if why.code != "architecture_dropped"]
        assert refused == [], parameters
        (item,) = (item for item in plan.parameters if item.flag == flag)
        assert item.origin is Origin.YOURS
        assert command(facts, version, parameters).count(said) == 1, parameters


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("facts", models.GUIDE, ids=lambda facts: facts.architecture)
def test_the_whole_command_line_is_in_the_words_of_the_version(facts: ModelFacts, version: str) -> None:
    """Names and kinds as the version's own parser was read."""
    parameters = tuple(word for model, flag, value, _ in GUIDE if model is facts for word in typed(flag, value)[0])
    known = {name: flag for data in data_of(version) for flag in data.flags for name in (flag.name, *flag.others)}
    argv = command(facts, version, parameters)
    assert argv[:2] == (f"/engines/{version}/bin/vllm", "serve")
    table = flag_table(version)
    for word in argv[3:]:
        if not word.startswith("--"):
            continue
        name, _, value = word.partition("=")
        assert name in known, f"{version} has no {name}"
        flag = table.find(name)
        assert flag is not None
        if flag.kind is Kind.SWITCH:
            assert not value, word
        if known[name].kind is Kind.JSON:
            assert isinstance(json.loads(value), dict), word
        if flag.kind in (Kind.INTEGER, Kind.SIZE) and value:
            assert value.isdigit(), word
        if known[name].choices and value:
            assert value in known[name].choices, word
