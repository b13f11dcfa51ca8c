"""The facts of a Hugging Face or Mistral checkpoint, from its configurations and its files' headers."""

from collections.abc import Sequence
from dataclasses import dataclass

from aimindserve.domain.facts import HubOrigin, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.hf_config import HfConfig, capabilities, chat_template, parse_config, parse_params
from aimindserve.domain.hf_vision import image_tokens
from aimindserve.domain.hf_weights import Weights

CONFIG, PARAMS = "config.json", "params.json"
PROCESSOR = "preprocessor_config.json"
TOKENIZER = "tokenizer_config.json"
TEMPLATE = "chat_template.jinja"
TEMPLATE_JSON = "chat_template.json"
MODULES = "modules.json"
# The small files that facts are read from.
READ = (CONFIG, PARAMS, PROCESSOR, TOKENIZER, TEMPLATE, TEMPLATE_JSON)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was read of a checkpoint: ``texts`` by file name (those of ``READ`` that are there); ``modules``: it comes
    as a sentence transformer."""

    texts: dict[str, bytes]
    modules: bool = False

    @property
    def mistral(self) -> bool:
        """Only a ``params.json`` describes it."""
        return CONFIG not in self.texts

    def config(self) -> HfConfig:
        """Its configuration. Raises ConfigError."""
        if self.mistral:
            return parse_params(self.texts[PARAMS])
        return parse_config(self.texts[CONFIG], self.texts.get(PROCESSOR))

    @property
    def template(self) -> str:
        """Its chat template, wherever it is kept."""
        plain = self.texts.get(TEMPLATE)
        if plain is not None:
            return plain.decode("utf-8", "replace")
        return chat_template(self.texts.get(TEMPLATE_JSON)) or chat_template(self.texts.get(TOKENIZER))


def checkpoint_model(
    checkpoint: Checkpoint,
    config: HfConfig,
    name: str,
    files: Sequence[ModelFile],
    weights: Weights,
    origin: HubOrigin | None = None,
    *,
    code_files: tuple[str, ...] = (),
    license: str | None = None,  # noqa: A002  # as the field is called
    gated: bool = False,
) -> ModelFacts:
    """The facts of a checkpoint. ``files``: weights first, in loading order."""
    vision = config.vision
    tokens = image_tokens(vision) if vision else (None, None)
    return ModelFacts(
        format=ModelFormat.SAFETENSORS,
        architecture=config.architecture,
        name=name,
        files=tuple(files),
        capabilities=capabilities(config, checkpoint.template, pooled=checkpoint.modules),
        quantization=config.quantization,
        parameters=weights.parameters,
        context_length=config.context_length,
        layers=config.layers,
        heads=config.heads,
        kv_heads=config.kv_heads,
        head_size=config.head_size,
        value_size=config.value_size,
        embedding_size=config.embedding_size,
        feed_forward_size=config.feed_forward_size,
        vocabulary_size=config.vocabulary_size,
        weight_bytes=weights.bytes,
        image_tokens_min=tokens[0],
        image_tokens_max=tokens[1],
        vision=vision,
        origin=origin,
        weights=weights.groups,
        caches=config.caches,
        dtype=config.dtype,
        quantized=config.quantized,
        tied_embeddings=config.tied_embeddings,
        config_format="mistral" if checkpoint.mistral else "hf",
        model_type=config.model_type,
        code_files=code_files,
        license=license,
        gated=gated,
        # Mistral's tokenizers write conversations themselves.
        has_chat_template=None if checkpoint.mistral else bool(checkpoint.template),
    )
