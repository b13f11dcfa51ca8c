"""The text models whose memory the product has formulas for."""

import re

from aimindserve.domain.facts import ModelFacts

# Plain transformers that differ in sizes alone, as Hugging Face and as GGUF files call them.
_KNOWN = re.compile(
    r"llama|mistral|mixtral|qwen|gemma|phi-?[234]|deepseek|glm|intern(lm|vl)|granite|olmo|falcon|^opt|gpt|starcoder"
    r"|command|cohere|smol(lm|vlm)|minicpm|nemotron|llava|pixtral|idefics|baichuan|^yi|exaone|bert|stablelm|ernie"
    r"|seed|kimi|hunyuan|aria|molmo|ovis|jina|nomic|bge|whisper|mamba|rwkv|mimo|minimax|dots|plamo|orion|bloom",
    re.IGNORECASE,
)


def is_known(facts: ModelFacts) -> bool:
    """Whether the formulas hold for a model: its family is known."""
    return any(_KNOWN.search(name) for name in (facts.architecture, facts.model_type or ""))
