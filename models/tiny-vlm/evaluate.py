"""Ask a checkpoint about held-out pictures with transformers, greedily:  python evaluate.py CHECKPOINT [PICTURES]

``tests/accuracy`` of the project does the same with the GGUF files through llama.cpp and the whole product.
"""

import random
import sys
from collections import Counter
from typing import Any

import torch
from questions import DESCRIBE, caption, questions
from scenes import scene
from transformers import AutoImageProcessor, AutoTokenizer, Qwen2VLForConditionalGeneration


class Model:
    """A loaded checkpoint."""

    def __init__(self, folder: str) -> None:
        self.model: Any = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.processor = AutoImageProcessor.from_pretrained(folder, backend="pil")

    def ask(self, image: Any, question: str) -> str:
        seen = self.processor(images=[image], return_tensors="pt")
        count = int(seen["image_grid_thw"].prod()) // 4
        messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        given = self.tokenizer(text.replace("<|image_pad|>", "<|image_pad|>" * count), return_tensors="pt")
        kinds = (given["input_ids"] == self.model.config.image_token_id).int()
        with torch.no_grad():
            out = self.model.generate(**given, **seen, mm_token_type_ids=kinds, max_new_tokens=40, do_sample=False)
        return self.tokenizer.decode(out[0, given["input_ids"].shape[1] :], skip_special_tokens=True)


def evaluate(model: Model, split: str, count: int) -> None:
    """Print right answers by kind of question."""
    rng = random.Random(f"held-out/{split}")
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for _ in range(count):
        kind = None if split == "train" else rng.choice(["single", "pair", "group"])
        image, facts = scene(rng, split, kind)
        name, question, answer = rng.choice(questions(facts, rng))
        about = [(f"caption {facts['kind']}", rng.choice(DESCRIBE), caption(facts)), (name, question, answer)]
        for key, question, answer in about:
            asked[key] += 1
            right[key] += model.ask(image, question) == answer
    for key in sorted(asked):
        print(f"{split}: {key:20s} {right[key]:4d} / {asked[key]:4d} = {right[key] / asked[key]:.3f}")


if __name__ == "__main__":
    torch.set_num_threads(2)
    loaded, pictures = Model(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400
    evaluate(loaded, "train", pictures)
    evaluate(loaded, "composition", pictures // 4)
