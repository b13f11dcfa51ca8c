"""How many tokens a checkpoint was made for, by its configuration.

Source: ``_get_and_verify_max_len`` in ``vllm/config/model.py``."""

from aimindserve.domain.hf_json import Json, section, size, text

# Their ``max_position_embeddings`` are the scaled length already.
_SCALED_ALREADY = frozenset({"su", "longrope", "llama3", "mrope", "default"})
_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_MOST_TIMES = 1024.0


def context_length(words: Json) -> int | None:
    """Tokens of the longest text that the fields of a language model tell of, scaled positions included."""
    trained = size(words, *_NAMES)
    scaling = section(words, "rope_scaling", "rope_parameters")
    if trained is None or scaling is None or (text(words, "model_type") or "").startswith("gemma3"):
        return trained
    kind, factor = text(scaling, "rope_type", "type") or "default", scaling.get("factor")
    if kind in _SCALED_ALREADY or not isinstance(factor, int | float) or not 1 <= factor <= _MOST_TIMES:
        return trained
    first = (size(scaling, "original_max_position_embeddings") or trained) if kind == "yarn" else trained
    return max(trained, int(first * factor))
