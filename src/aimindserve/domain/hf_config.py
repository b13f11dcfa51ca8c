"""Facts of a Hugging Face checkpoint's ``config.json``, and of a Mistral one's ``params.json``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aimindserve.domain.facts import CacheGroup, QuantizationFacts, VisionFacts
from aimindserve.domain.hf_json import ConfigError, Json, json_object, numbers, section, size, text, texts
from aimindserve.domain.hf_layers import hf_caches
from aimindserve.domain.hf_positions import context_length
from aimindserve.domain.hf_vision import hears, hf_vision
from aimindserve.domain.hubs import in_order, template_capabilities

# transformers leaves out of a nested configuration what equals the class's defaults; these are those defaults.
_DEFAULTS: dict[str, dict[str, int]] = {
    "llama": {
        "hidden_size": 4096,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "intermediate_size": 11008,
        "vocab_size": 32000,
        "max_position_embeddings": 2048,
    },
    "mistral": {
        "hidden_size": 4096,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 14336,
        "vocab_size": 32000,
        "max_position_embeddings": 131072,
    },
    "gemma": {"head_dim": 256, "num_attention_heads": 8, "num_hidden_layers": 18, "max_position_embeddings": 8192},
    "gemma2": {"head_dim": 256, "sliding_window": 4096, "max_position_embeddings": 8192},
    "gemma3_text": {
        "head_dim": 256,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "sliding_window": 4096,
        "vocab_size": 262208,
        "max_position_embeddings": 131072,
    },
    "qwen2": {"max_position_embeddings": 32768},
}
_EMBEDDING_CLASSES = ("BertModel", "XLMRobertaModel", "NomicBertModel", "ModernBertModel", "NewModel", "GteModel")
_RANKING_CLASS = "ForSequenceClassification"
# vLLM's default for checkpoints in the Mistral form (vllm/transformers_utils/configs/mistral.py).
_MISTRAL_CONTEXT = 128_000


@dataclass(frozen=True, slots=True)
class HfConfig:
    """What the configuration tells; None where it does not. ``code``: the Python files that ``auto_map`` names,
    ``repository--file.py`` where they lie in another repository."""

    architecture: str
    context_length: int | None
    layers: int | None
    heads: int | None
    kv_heads: int | None
    head_size: int | None
    embedding_size: int | None
    feed_forward_size: int | None
    vocabulary_size: int | None
    quantization: str | None
    vision: VisionFacts | None
    value_size: int | None = None
    model_type: str | None = None
    dtype: str | None = None
    quantized: QuantizationFacts | None = None
    tied_embeddings: bool = False
    caches: tuple[CacheGroup, ...] = ()
    code: tuple[str, ...] = ()
    audio: bool = False

    @property
    def bits(self) -> int | None:
        """Bits of a weight where the checkpoint packs several into one whole number."""
        return self.quantized.bits if self.quantized else None


def parse_config(raw: bytes, processor: bytes | None = None) -> HfConfig:
    """The facts in a ``config.json``; ``processor``: the ``preprocessor_config.json`` beside it, which is passed over
    when it makes no sense. Raises ConfigError."""
    return _facts(json_object(raw), _lenient(processor))


def parse_params(raw: bytes) -> HfConfig:
    """The facts in a ``params.json`` of the Mistral form. Raises ConfigError."""
    params = json_object(raw)
    tower = section(params, "vision_encoder")
    experts = section(params, "moe")
    family = "PixtralForConditionalGeneration" if tower else ("MixtralForCausalLM" if experts else "MistralForCausalLM")
    names = {
        "dim": "hidden_size",
        "n_layers": "num_hidden_layers",
        "n_heads": "num_attention_heads",
        "n_kv_heads": "num_key_value_heads",
        "hidden_dim": "intermediate_size",
        "tied_embeddings": "tie_word_embeddings",
    }
    config: dict[str, object] = {names.get(name, name): value for name, value in params.items()}
    config["architectures"] = [family]
    config["model_type"] = "pixtral" if tower else "mistral"
    config["max_position_embeddings"] = size(params, "max_position_embeddings", "max_seq_len") or _MISTRAL_CONTEXT
    config["torch_dtype"] = "bfloat16"
    quantization = section(params, "quantization")
    if quantization is not None:
        config["quantization_config"] = {"quant_method": text(quantization, "qformat_weight") or "fp8"}
    return _facts(config, None)


def capabilities(config: HfConfig, template: str, *, pooled: bool = False) -> tuple[str, ...]:
    """What the model can do. ``template``: its chat template; ``pooled``: it comes as a sentence transformer."""
    name = config.architecture
    if name.endswith(_RANKING_CLASS):
        return ("rerank",)
    if pooled or name in _EMBEDDING_CLASSES:
        return ("embedding",)
    senses = (*(("vision",) if config.vision else ()), *(("audio",) if config.audio else ()))
    return in_order(("chat", *senses, *template_capabilities(template)))


def chat_template(tokenizer: bytes | None) -> str:
    """The chat templates in a ``tokenizer_config.json`` or ``chat_template.json``, joined."""
    config = _lenient(tokenizer)
    value = config.get("chat_template") if config else None
    if isinstance(value, str):
        return value
    entries = cast("list[object]", value) if isinstance(value, list) else []
    named = [cast("Json", entry) for entry in entries if isinstance(entry, dict)]
    return "\n".join(found for entry in named if (found := text(entry, "template")))


def parse_image_pixels(raw: bytes) -> tuple[int | None, int | None]:
    """The smallest and the largest picture in pixels that a ``preprocessor_config.json`` allows. Raises ConfigError."""
    config = json_object(raw)
    edges = section(config, "size") or {}
    smallest = size(config, "min_pixels") or size(edges, "shortest_edge")
    largest = size(config, "max_pixels") or size(edges, "longest_edge")
    return smallest, largest


def _lenient(raw: bytes | None) -> Json | None:
    try:
        return json_object(raw) if raw is not None else None
    except ConfigError:
        return None


def _facts(config: Json, processor: Json | None) -> HfConfig:
    inner = section(config, "text_config", "llm_config", "language_config", "thinker_config")
    inner = (section(inner, "text_config") or inner) if inner is not None else config
    words: Mapping[str, object] = {**_DEFAULTS.get(text(inner, "model_type") or "", {}), **inner}
    names = texts(config, "architectures")
    architecture = names[0] if names and names[0] else text(config, "model_type")
    if not architecture:
        raise ConfigError("it names no architecture")
    embedding = size(words, "hidden_size", "n_embd", "n_embed", "d_model", "dim")
    heads = size(words, "num_attention_heads", "n_head", "n_heads")
    layers = size(words, "num_hidden_layers", "n_layer", "n_layers", "num_layers")
    latent = size(words, "kv_lora_rank")
    per_head = size(words, "head_dim", "kv_channels") or ((embedding // heads or None) if embedding and heads else None)
    if latent:
        per_head = (size(words, "qk_nope_head_dim") or 0) + (size(words, "qk_rope_head_dim") or 0) or per_head
    kv_heads = _kv_heads(words, heads)
    quantized = _quantized(config)
    dtype = text(config, "dtype", "torch_dtype") or text(words, "dtype", "torch_dtype")
    return HfConfig(
        architecture=architecture,
        context_length=context_length(words),
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_size=per_head,
        value_size=size(words, "v_head_dim") if latent else None,
        embedding_size=embedding,
        feed_forward_size=size(words, "intermediate_size", "n_inner", "hidden_dim", "ffn_hidden_size"),
        vocabulary_size=size(words, "vocab_size", "padded_vocab_size") or size(config, "vocab_size"),
        quantization=quantized.method if quantized else dtype,
        vision=hf_vision(config, processor, architecture),
        model_type=text(config, "model_type"),
        dtype=dtype,
        quantized=quantized,
        tied_embeddings=_tied(config, words),
        caches=hf_caches(words, layers, kv_heads, per_head),
        code=_code(config),
        audio=hears(config),
    )


def _kv_heads(words: Json, heads: int | None) -> int | None:
    if words.get("multi_query") is True and words.get("new_decoder_architecture") is not True:
        return size(words, "multi_query_group_num") or 1
    listed = numbers(words, "num_key_value_heads")
    grouped = size(words, "multi_query_group_num") if words.get("multi_query_attention") is True else None
    return (
        grouped or size(words, "num_key_value_heads", "n_kv_heads", "num_kv_heads") or max(listed, default=0) or heads
    )


def _tied(config: Json, words: Json) -> bool:
    value = words.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    if isinstance(value, bool):
        return value
    # transformers' own default is True; the families that untie it say so, those below never write it.
    return (text(words, "model_type") or "").startswith("gemma")


def _quantized(config: Json) -> QuantizationFacts | None:
    found = section(config, "quantization_config")
    inner = section(config, "text_config", "llm_config")
    found = found or (section(inner, "quantization_config") if inner else None)
    method = text(found, "quant_method", "quant_algo") if found is not None else None
    if found is None or method is None:
        return None
    bits, group_size = size(found, "bits", "w_bit", "weight_bits"), size(found, "group_size", "q_group_size")
    groups = section(found, "config_groups")
    first = (
        next((cast("Json", value) for value in groups.values() if isinstance(value, dict)), None) if groups else None
    )
    scheme = section(first, "weights") if first else None
    if scheme is not None:
        bits, group_size = bits or size(scheme, "num_bits"), group_size or size(scheme, "group_size")
    if found.get("load_in_4bit") is True:
        bits = 4
    elif found.get("load_in_8bit") is True or method.startswith("fp8"):
        bits = 8
    elif method in ("mxfp4", "awq", "gptq"):
        bits = bits or 4
    skipped = texts(found, "modules_to_not_convert") or texts(found, "ignore") or texts(found, "llm_int8_skip_modules")
    return QuantizationFacts(
        method=method[:64], bits=bits, group_size=group_size, skipped=tuple(name[:128] for name in skipped[:512])
    )


def _code(config: Json) -> tuple[str, ...]:
    """Files that ``auto_map`` names: ``modeling_x.Class`` or ``organisation/name--modeling_x.Class``."""
    found: set[str] = set()
    for value in (section(config, "auto_map") or {}).values():
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, str) and "." in item:
                found.add(f"{item.rpartition('.')[0][:200]}.py")
    return tuple(sorted(found))[:32]
