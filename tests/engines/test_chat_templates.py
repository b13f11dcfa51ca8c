"""Chat templates of models whose files bring none."""

import pytest
from tests.domain.memory_models import MISTRAL_7B, PHI_3_5, QWEN2_VL_7B_GGUF
from tests.engines.vllm_cases import plan, values

from aimindserve.domain.explanations import Why
from aimindserve.domain.facts import ModelFacts, VisionFacts
from aimindserve.domain.params import Origin
from aimindserve.engines._base import Machine
from aimindserve.engines.chat_templates import CHATML, INSTRUCTION, VICUNA, lacks_template, llama_template
from aimindserve.engines.llama_cpp import LlamaCpp


def without(facts: ModelFacts, **changes: object) -> ModelFacts:
    return facts.model_copy(update={"has_chat_template": False, **changes})


@pytest.mark.parametrize("template", [VICUNA, INSTRUCTION])
def test_templates_can_be_arguments(template: str) -> None:
    """vLLM takes for a template what has a brace and reads escapes in it; an argument is one line."""
    assert "{" in template
    assert not {"\n", "\\"} & set(template)
    for opens, closes in (("{%", "%}"), ("{{", "}}"), ("{% if", "{% endif"), ("{% for", "{% endfor")):
        assert template.count(opens) == template.count(closes) > 0
    assert "add_generation_prompt" in template


@pytest.mark.parametrize(
    ("kind", "template"), [("mlp", VICUNA), ("ldpv2", INSTRUCTION), ("qwen2vl_merger", CHATML), (None, CHATML)]
)
def test_llama_is_told_what_the_file_does_not_say(kind: str | None, template: str) -> None:
    facts = without(QWEN2_VL_7B_GGUF, vision=VisionFacts(kind=kind) if kind else None)
    assert llama_template(facts) == template
    made = LlamaCpp().plan(facts, (), {}, Machine(physical_cores=4))
    (item,) = [one for one in made.parameters if one.flag == "--chat-template"]
    known = template != CHATML
    assert (item.value, item.origin) == (template, Origin.DERIVED if known else Origin.DEFAULT)
    assert item.why.code is (Why.TEMPLATE_KNOWN if known else Why.TEMPLATE_NONE)
    yours = LlamaCpp().plan(facts, ("--chat-template=gemma",), {}, Machine(physical_cores=4))
    assert yours.value("--chat-template") == "gemma"


@pytest.mark.parametrize("has", [True, None])
def test_what_has_one_or_was_not_looked_at_is_told_nothing(has: bool | None) -> None:
    facts = QWEN2_VL_7B_GGUF.model_copy(update={"has_chat_template": has})
    assert llama_template(facts) is None
    assert not lacks_template(facts)
    embedding = without(QWEN2_VL_7B_GGUF, capabilities=("embedding",))
    assert llama_template(embedding) is None


def test_vllm_is_told_where_one_is_known() -> None:
    llava = without(PHI_3_5, architecture="LlavaForConditionalGeneration", model_type="llava")
    assert values(plan(llava))["--chat-template"] == VICUNA
    assert "--chat-template" not in values(plan(llava.model_copy(update={"has_chat_template": True})))
    assert [lacks_template(one) for one in (llava, without(PHI_3_5, model_type="qwen"), without(MISTRAL_7B))] == [
        *(False, False, True)
    ]
