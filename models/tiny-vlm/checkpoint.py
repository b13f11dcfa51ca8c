"""The model, and its Hugging Face checkpoint in the shape of Qwen's own."""

import json
from pathlib import Path
from typing import Any

import torch
from batches import MEAN, STD
from scenes import SIDE
from tokenizer import SPECIAL, TEMPLATE, VOCABULARY
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl import modeling_qwen2_vl

PIXELS = SIDE * SIDE  # every picture becomes 16 image tokens


def build_model(tokenizer: Any) -> Any:
    """A new model: 3.4 million parameters of language, 1.3 million of vision."""
    token = tokenizer.convert_tokens_to_ids
    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [8, 12, 12]},
        "bos_token_id": token("<|endoftext|>"),
        "eos_token_id": token("<|im_end|>"),
        "pad_token_id": token("<|endoftext|>"),
    }
    vision = {"depth": 4, "embed_dim": 128, "hidden_size": 256, "num_heads": 4, "mlp_ratio": 4, "patch_size": 14}
    config = Qwen2VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    return Qwen2VLForConditionalGeneration(config)


def speed_up(model: Any) -> None:
    """For training on a CPU: the patch convolution as a matrix product, and plain batched attention, which is exact
    here because all pictures of a batch are of one size. The weights stay as they are."""
    embed = model.model.visual.patch_embed
    embed.forward = lambda x: torch.nn.functional.linear(x, embed.proj.weight.flatten(1))

    def attend(
        self: Any, hidden_states: torch.Tensor, cu_seqlens: torch.Tensor, position_embeddings: Any = None, **_: Any
    ) -> torch.Tensor:
        n, count = hidden_states.shape[0], len(cu_seqlens) - 1
        x = self.qkv(hidden_states).reshape(n, 3, self.num_heads, -1).permute(1, 0, 2, 3)
        q, k = modeling_qwen2_vl.apply_rotary_pos_emb_vision(x[0], x[1], *position_embeddings)
        q, k, v = (t.reshape(count, n // count, self.num_heads, -1).transpose(1, 2) for t in (q, k, x[2]))
        weights = (q @ k.transpose(2, 3) * self.scaling).softmax(-1).to(v.dtype)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, -1))

    for block in model.model.visual.blocks:
        block.attn.forward = attend.__get__(block.attn)
    model.model.language_model.config._attn_implementation = "eager"  # noqa: SLF001 - transformers has no public name for it


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write the checkpoint."""
    fresh = build_model(tokenizer).to(torch.bfloat16)  # ``model`` carries the patches of speed_up
    fresh.load_state_dict(model.state_dict())
    fresh.generation_config.update(
        eos_token_id=[tokenizer.eos_token_id, tokenizer.pad_token_id],
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=64,
    )
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _flatten_config(folder, tokenizer)
    _write_tokenizer(folder, tokenizer)
    _write_processors(folder)


def _write(path: Path, content: object, **options: Any) -> None:
    path.write_text(json.dumps(content, **options), encoding="utf-8")


def _flatten_config(folder: Path, tokenizer: Any) -> None:
    """config.json as Qwen's own checkpoints have it: every version of transformers, vLLM and llama.cpp reads that."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text, vision = config.pop("text_config"), config["vision_config"]
    rope = text.pop("rope_parameters")
    for key in ("layer_types", "model_type", "sliding_window"):
        text.pop(key)
    vision.pop("rope_parameters")
    vision.update(model_type="qwen2_vl", in_chans=vision["in_channels"], spatial_patch_size=vision["patch_size"])
    config.update(
        text,
        rope_theta=rope["rope_theta"],
        rope_scaling={"type": "mrope", "mrope_section": rope["mrope_section"]},
        torch_dtype=config.pop("dtype"),
        vision_token_id=tokenizer.convert_tokens_to_ids("<|vision_pad|>"),
    )
    _write(folder / "config.json", config, indent=1)


def _write_tokenizer(folder: Path, tokenizer: Any) -> None:
    bpe = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    _write(folder / "vocab.json", bpe["vocab"], ensure_ascii=False)
    merges = "".join(" ".join(pair) + "\n" for pair in bpe["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    added = {str(tokenizer.convert_tokens_to_ids(s)): {"content": s, **plain} for s in SPECIAL}
    config = {
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": SPECIAL[1:],
        "bos_token": None,
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 4096,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    _write(folder / "tokenizer_config.json", config, indent=1)


def _write_processors(folder: Path) -> None:
    image = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2VLProcessor",
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_convert_rgb": True,
        "rescale_factor": 1 / 255,
        "resample": 3,
        "image_mean": [float(x) for x in MEAN],
        "image_std": [float(x) for x in STD],
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "min_pixels": PIXELS,
        "max_pixels": PIXELS,
        "size": {"shortest_edge": PIXELS, "longest_edge": PIXELS},
    }
    _write(folder / "preprocessor_config.json", image, indent=1)
    video = {key: value for key, value in image.items() if key != "image_processor_type"}
    video.update(video_processor_type="Qwen2VLVideoProcessor", min_frames=2, max_frames=8, fps=1.0)
    _write(folder / "video_preprocessor_config.json", video, indent=1)
