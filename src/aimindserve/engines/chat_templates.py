"""Chat templates of models whose files bring none.

Which models need one, and which: llama.cpp's ``tools/mtmd/tests.sh``, vLLM's
``transformers_utils/chat_templates/registry.py`` and the models' own cards. Templates are Jinja in one line: both
engines take that in place of a name."""

from aimindserve.domain.facts import ModelFacts

# As Vicuna was trained, on which LLaVA 1.5 and 1.6 stand.
VICUNA = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ 'USER: ' + m.content + ' ' }}"
    "{% elif m.role == 'assistant' %}{{ 'ASSISTANT: ' + m.content + '</s>' }}{% else %}{{ m.content + ' ' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
# As DeepSeek's first models were trained, on which MobileVLM's conversations stand in llama.cpp.
INSTRUCTION = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ '### Instruction: ' + m.content + ' ' }}"
    "{% elif m.role == 'assistant' %}{{ '### Response: ' + m.content + ' ' }}{% else %}{{ m.content + ' ' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '### Response:' }}{% endif %}"
)
CHATML = "chatml"
"""What llama.cpp takes where it is told of none."""

# Projectors of llama.cpp that are trained with one kind of conversation whatever the language model is called.
_BY_PROJECTOR = {"mlp": VICUNA, "ldp": INSTRUCTION, "ldpv2": INSTRUCTION}
_BY_ARCHITECTURE = {"LlavaForConditionalGeneration": VICUNA}
# Model types for which vLLM brings a template of its own.
_BROUGHT_BY_VLLM = (
    *("blip-2", "chameleon", "clip", "colpali", "deepseek_ocr", "deepseek_ocr2", "deepseek_vl_v2", "florence2", "fuyu"),
    *("minicpmv", "minicpmv4_6", "paligemma", "qwen", "siglip", "siglip2"),
)


def _needs_one(facts: ModelFacts) -> bool:
    return facts.has_chat_template is False and "chat" in facts.capabilities


def llama_template(facts: ModelFacts) -> str | None:
    """What llama.cpp is told; None where the file brings a template, or was not looked at for one."""
    if not _needs_one(facts):
        return None
    return _BY_PROJECTOR.get(facts.vision.kind, CHATML) if facts.vision else CHATML


def vllm_template(facts: ModelFacts) -> str | None:
    """What vLLM is told; None where the files bring a template, vLLM does, or none is known."""
    return _BY_ARCHITECTURE.get(facts.architecture) if _needs_one(facts) else None


def lacks_template(facts: ModelFacts) -> bool:
    """Whether vLLM will refuse conversations: it has a template from nowhere."""
    brought = facts.model_type in _BROUGHT_BY_VLLM or vllm_template(facts) is not None
    return _needs_one(facts) and not brought
