"""Tiny vision models of random weights, in the formats of the real ones, that vLLM loads as it loads those.

    PYTHON-WITH-VLLM tests/support/tiny_checkpoints.py FOLDER

Run by an interpreter that has torch, transformers and mistral_common. What the models say is noise. Heads are 32 wide:
vLLM refuses less on the CPU.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

WORDS = ["the quick brown fox jumps over the lazy dog and looks at the picture", "0 1 2 3 4 5 . , ? ! { } < | >"] * 20
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"]
IMAGE, VIDEO = "<|image_pad|>", "<|video_pad|>"
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] in ('image', 'image_url') %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _tokenizer() -> Any:
    """A byte-level tokenizer with the special tokens of Qwen2-VL."""
    parts = _module("tokenizers")
    made = parts.Tokenizer(parts.models.BPE())
    made.pre_tokenizer = parts.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = parts.decoders.ByteLevel()
    alphabet = parts.pre_tokenizers.ByteLevel.alphabet()
    trainer = parts.trainers.BpeTrainer(vocab_size=600, show_progress=False, initial_alphabet=alphabet)
    made.train_from_iterator(WORDS, trainer)
    made.add_special_tokens([parts.AddedToken(name, special=True) for name in (*SPECIALS, IMAGE, VIDEO)])
    transformers = _module("transformers")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE
    )


def qwen2_vl(folder: Path) -> None:
    """``Qwen2VLForConditionalGeneration``, in the format of Hugging Face."""
    transformers, words = _module("transformers"), _tokenizer()
    ends = {"eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    number = words.convert_tokens_to_ids
    config = transformers.Qwen2VLConfig(
        text_config={
            "vocab_size": len(words), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 8192, "bos_token_id": None,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}, **ends,
        },
        vision_config={
            "depth": 3, "embed_dim": 64, "hidden_size": 64, "num_heads": 2, "mlp_ratio": 2, "patch_size": 14,
            "spatial_merge_size": 2, "temporal_patch_size": 2,
        },
        image_token_id=number(IMAGE), video_token_id=number(VIDEO), vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"), vision_token_id=number("<|vision_pad|>"), **ends,
    )  # fmt: skip
    model = transformers.Qwen2VLForConditionalGeneration(config)
    model.to(_module("torch").bfloat16).save_pretrained(folder)
    words.save_pretrained(folder)
    about = {"image_processor_type": "Qwen2VLImageProcessor", "processor_class": "Qwen2VLProcessor"}
    sizes = {"min_pixels": 56 * 56, "max_pixels": 448 * 448, "patch_size": 14, "temporal_patch_size": 2}
    colours = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
    _write(folder / "preprocessor_config.json", {**about, **sizes, **colours, "merge_size": 2})


PIXTRAL = {
    "dim": 64, "n_layers": 2, "head_dim": 32, "hidden_dim": 128, "n_heads": 2, "n_kv_heads": 1, "norm_eps": 1e-5,
    "vocab_size": 2000, "rope_theta": 1e6, "max_position_embeddings": 8192, "max_seq_len": 8192,
    "vision_encoder": {
        "hidden_size": 64, "num_channels": 3, "image_size": 256, "patch_size": 16, "rope_theta": 10000.0,
        "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "adapter_bias": True,
        "image_token_id": 10,
    },
}  # fmt: skip


def pixtral(folder: Path) -> None:
    """``PixtralForConditionalGeneration`` in the format of Mistral: params.json, consolidated.safetensors, tekken."""
    _write(folder / "params.json", PIXTRAL)
    _tekken(folder / "tekken.json", vocabulary=2000)
    torch = _module("torch")
    weights: dict[str, Any] = {}

    def matrix(name: str, *shape: int) -> None:
        weights[f"{name}.weight"] = (torch.randn(*shape) * 0.02).to(torch.bfloat16)

    def ones(name: str) -> None:
        weights[f"{name}.weight"] = torch.ones(64, dtype=torch.bfloat16)

    def layer(name: str, keys: int) -> None:
        for part, rows, columns in (("wq", 64, 64), ("wk", keys, 64), ("wv", keys, 64), ("wo", 64, 64)):
            matrix(f"{name}.attention.{part}", rows, columns)
        for part, rows, columns in (("w1", 128, 64), ("w2", 64, 128), ("w3", 128, 64)):
            matrix(f"{name}.feed_forward.{part}", rows, columns)
        ones(f"{name}.attention_norm")
        ones(f"{name}.ffn_norm")

    matrix("tok_embeddings", 2000, 64)
    matrix("output", 2000, 64)
    ones("norm")
    for number in range(2):
        layer(f"layers.{number}", 32)
        layer(f"vision_encoder.transformer.layers.{number}", 64)
    matrix("vision_encoder.patch_conv", 64, 3, 16, 16)
    ones("vision_encoder.ln_pre")
    for part in ("w_in", "w_out"):
        matrix(f"vision_language_adapter.{part}", 64, 64)
        weights[f"vision_language_adapter.{part}.bias"] = torch.zeros(64, dtype=torch.bfloat16)
    _module("safetensors.torch").save_file(weights, folder / "consolidated.safetensors")


def _tekken(path: Path, vocabulary: int) -> None:
    """The real tokenizer that mistral_common brings, cut short, with a part for pictures."""
    data = Path(str(_module("mistral_common").__file__)).parent / "data" / "tekken_240911.json"
    tokens: dict[str, Any] = json.loads(data.read_text(encoding="utf-8"))
    words = vocabulary - tokens["config"]["default_num_special_tokens"]
    tokens["vocab"] = tokens["vocab"][:words]
    tokens["config"] |= {"default_vocab_size": vocabulary, "num_vocab_tokens": words}
    tokens["multimodal"] = {"image_patch_size": 16, "max_image_size": 256}
    _write(path, tokens)


def main() -> None:
    """Write all models into the folder that the command line names."""
    _module("torch").manual_seed(0)
    for make in (qwen2_vl, pixtral):
        folder = Path(sys.argv[1]) / make.__name__
        folder.mkdir(parents=True)
        make(folder)


if __name__ == "__main__":
    main()
