"""Training batches: pictures as Qwen2-VL's patches, conversations as tokens, and what each image token shows."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scenes import BACKGROUNDS, CELL, COLOURS, EMOJI, GRID, SHAPES, Facts, scene
from talk import CHAT, SYSTEM, conversation

# CLIP's normalisation, which Qwen2-VL uses too.
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
TOKENS = GRID * GRID
WITHOUT_PICTURE, WITH_SYSTEM, PICTURE_FIRST = 0.03, 0.25, 0.7
LABELS = [
    *("bg " + c for c in BACKGROUNDS),
    *COLOURS,
    *SHAPES,
    "small",
    "large",
    *(f"digit {x}" for x in range(10)),
    *EMOJI,
    "pair",
    "group",
    "number",
    "emoji",
]


def patches(image: Any) -> np.ndarray:
    """Qwen2-VL's flattened patches of a picture whose sides are multiples of CELL."""
    a = ((np.asarray(image, np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)
    rows, columns = a.shape[1] // CELL, a.shape[2] // CELL
    # time, channel, row, row in merge, row in patch, column, column in merge, column in patch
    a = np.stack([a, a]).reshape(2, 3, rows, 2, 14, columns, 2, 14)
    return a.transpose(2, 5, 3, 6, 1, 0, 4, 7).reshape(rows * columns * 4, -1)


def labels(facts: Facts) -> torch.Tensor:
    """For each of the picture's tokens, what is there, as a 0/1 vector: the target of stage 1."""
    want = torch.zeros(GRID, GRID, len(LABELS))
    want[:, :, LABELS.index("bg " + facts["bg"])] = 1
    if facts["kind"] in LABELS:
        want[:, :, LABELS.index(facts["kind"])] = 1
    for x, y, r, names in facts["spots"]:
        for i in range(GRID):
            for j in range(GRID):
                if (x * GRID - i - 0.5) ** 2 + (y * GRID - j - 0.5) ** 2 <= max(0.72, r * GRID) ** 2:
                    want[j, i, [LABELS.index(name) for name in names]] = 1
    return want.flatten(0, 1)


class Row:
    """One conversation as token ids, with a mask of what is learned (answers only) and where the picture begins."""

    def __init__(self, tokenizer: Any, facts: Facts, rng: random.Random) -> None:
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.mask: list[int] = []
        self.start: int | None = None
        has_picture = rng.random() >= WITHOUT_PICTURE
        if has_picture:
            turns = conversation(facts, rng)
        else:
            asked, answer = rng.choice(CHAT)
            turns = [(rng.choice(asked), answer)]
        if rng.random() < WITH_SYSTEM:
            self._add(f"<|im_start|>system\n{rng.choice(SYSTEM)}<|im_end|>\n")
        for i, (question, answer) in enumerate(turns):
            self._turn(question, answer, picture=has_picture and i == 0, first=rng.random() < PICTURE_FIRST)

    def _add(self, text: str, learn: int = 0) -> None:
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        self.ids += ids
        self.mask += [learn] * len(ids)

    def _turn(self, question: str, answer: str, *, picture: bool, first: bool) -> None:
        self._add("<|im_start|>user\n")
        if picture and not first:
            self._add(question)
        if picture:
            self._add("<|vision_start|>")
            self.start = len(self.ids)
            self.ids += [self.tokenizer.convert_tokens_to_ids("<|image_pad|>")] * TOKENS
            self.mask += [0] * TOKENS
            self._add("<|vision_end|>")
        if first or not picture:
            self._add(question)
        self._add("<|im_end|>\n<|im_start|>assistant\n")
        self._add(answer + "<|im_end|>", 1)
        self._add("\n")

    def positions(self) -> torch.Tensor:
        """M-RoPE: time, row and column of each token, (3, tokens)."""
        n, start = len(self.ids), self.start
        if start is None:
            return torch.arange(n).expand(3, n)
        place = torch.arange(TOKENS)
        inside = torch.stack([torch.full((TOKENS,), start), start + place // GRID, start + place % GRID])
        after = (start + GRID + torch.arange(n - start - TOKENS)).expand(3, -1)
        return torch.cat([torch.arange(start).expand(3, start), inside, after], dim=1)


def _grid(count: int) -> torch.Tensor:
    return torch.tensor([[1, GRID * 2, GRID * 2]] * count)


def vision_batch(rng: random.Random, size: int) -> dict[str, torch.Tensor]:
    """Pictures and what their tokens show."""
    pairs = [scene(rng) for _ in range(size)]
    pixels = torch.from_numpy(np.concatenate([patches(image) for image, _ in pairs]))
    return {"pixels": pixels, "grid": _grid(size), "want": torch.cat([labels(facts) for _, facts in pairs])}


def talk_batch(tokenizer: Any, rng: random.Random, size: int) -> dict[str, torch.Tensor]:
    """Pictures and conversations about them."""
    rows: list[Row] = []
    pixels: list[np.ndarray] = []
    for _ in range(size):
        image, facts = scene(rng)
        row = Row(tokenizer, facts, rng)
        rows.append(row)
        if row.start is not None:
            pixels.append(patches(image))
    longest = max(len(row.ids) for row in rows)
    shape = (len(rows), longest)
    ids = torch.full(shape, tokenizer.pad_token_id)
    mask, attention = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    positions = torch.zeros(3, *shape, dtype=torch.long)
    for b, row in enumerate(rows):
        n = len(row.ids)
        ids[b, :n], mask[b, :n], attention[b, :n] = torch.tensor(row.ids), torch.tensor(row.mask), 1
        positions[:, b, :n] = row.positions()
    return {
        "ids": ids,
        "mask": mask,
        "attention": attention,
        "positions": positions,
        "pixels": torch.from_numpy(np.concatenate(pixels)),
        "grid": _grid(len(pixels)),
    }


class Stream(torch.utils.data.IterableDataset):
    """Endless batches, drawn from a seed per batch; without a tokenizer, of pictures and labels only."""

    def __init__(self, tokenizer: Any | None, size: int, seed: str) -> None:
        self.tokenizer, self.size, self.seed = tokenizer, size, seed

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        step = 0
        while True:
            rng = random.Random(f"{self.seed}/{step}")
            yield vision_batch(rng, self.size) if self.tokenizer is None else talk_batch(self.tokenizer, rng, self.size)
            step += 1


def loader(tokenizer: Any | None, size: int, seed: str) -> torch.utils.data.DataLoader:
    return torch.utils.data.DataLoader(Stream(tokenizer, size, seed), batch_size=None, num_workers=1, prefetch_factor=4)
