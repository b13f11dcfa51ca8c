"""Train a tiny but real vision language model (Qwen2-VL architecture, 4.8 million parameters) on the CPU.

    python train.py --out build/tiny-vlm  # 20 + 22 minutes on 2 cores with AMX; writes a Hugging Face checkpoint

Stage 1 trains the vision tower alone to name what it sees (without it the language model ignores the picture for
thousands of steps); stage 2 trains on conversations, with the loss on the answers only, the tower frozen at first.
The schedule goes by the clock unless ``--steps`` is given. ``--resume WEIGHTS.pt`` goes on from saved weights with the
tokenizer already in ``--out`` (``--pretrain 0`` skips stage 1).
"""

import argparse
import math
import random
import time
from pathlib import Path
from typing import Any

import torch
from batches import LABELS, loader
from checkpoint import build_model, save, speed_up
from tokenizer import build_tokenizer, wrapped

WARM_UP = 150  # steps


class Average:
    """A running mean of the loss, for people."""

    def __init__(self, keep: float = 0.97) -> None:
        self.keep, self.value = keep, None

    def add(self, loss: float) -> float:
        self.value = loss if self.value is None else self.keep * self.value + (1 - self.keep) * loss
        return self.value


def step_of(loss: torch.Tensor, parameters: list[Any], optimizer: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


def pretrain(model: Any, options: argparse.Namespace) -> None:
    """Stage 1: the tower learns to name what it sees and where, through a throw-away linear layer on each of its
    output tokens."""
    head = torch.nn.Linear(256, len(LABELS))
    parameters = [*model.model.visual.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=options.lr, betas=(0.9, 0.98), weight_decay=0.05)
    began, average = time.time(), Average()
    for step, batch in enumerate(loader(None, 2 * options.batch, f"vision/{options.seed}")):
        done = (time.time() - began) / 60 / options.pretrain
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = options.lr * min(1, (step + 1) / WARM_UP, 0.05 + 2 * (1 - done))
        with torch.autocast("cpu", torch.bfloat16):
            out = head(model.model.visual(batch["pixels"], grid_thw=batch["grid"]).pooler_output)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(out.float(), batch["want"]) * len(LABELS)
        step_of(loss, parameters, optimizer)
        mean = average.add(loss.item())
        if step % 25 == 24:
            print(f"vision step {step + 1} minutes {(time.time() - began) / 60:.1f} loss {mean:.3f}", flush=True)
    torch.save(model.state_dict(), f"{options.out}.vision.pt")


def talk_optimizer(model: Any, vision: list[Any], rate: float) -> Any:
    """Matrices decay, vectors do not; the tower learns at a third of the speed."""
    seen = {id(parameter) for parameter in vision}
    language = [parameter for parameter in model.parameters() if id(parameter) not in seen]
    groups = [
        {"params": [p for p in language if p.ndim > 1], "weight_decay": 0.05, "scale": 1},
        {"params": [p for p in language if p.ndim < 2], "weight_decay": 0.0, "scale": 1},
        {"params": vision, "weight_decay": 0.0, "scale": 0.3},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-8)


def answer_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross entropy of the answers' tokens."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(
            input_ids=batch["ids"],
            attention_mask=batch["attention"],
            position_ids=batch["positions"],
            pixel_values=batch["pixels"],
            image_grid_thw=batch["grid"],
            use_cache=False,
        ).last_hidden_state
        want = batch["mask"][:, 1:].bool()
        logits = model.lm_head(hidden[:, :-1][want])
    return torch.nn.functional.cross_entropy(logits.float(), batch["ids"][:, 1:][want])


def converse(model: Any, tokenizer: Any, options: argparse.Namespace) -> None:
    """Stage 2."""
    vision = list(model.model.visual.parameters())
    optimizer = talk_optimizer(model, vision, options.lr)
    began, average = time.time(), Average()
    for step, batch in enumerate(loader(tokenizer, options.batch, str(options.seed))):
        done = max((time.time() - began) / 60 / options.minutes, step / options.steps)
        if done >= 1:
            break
        cooled = 1 if done < 0.4 else 0.02 + 0.49 * (1 + math.cos(math.pi * (done - 0.4) / 0.6))
        rate = options.lr * min(1, (step + 1) / WARM_UP) * cooled
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        for parameter in vision:  # first the language part learns to read the tower
            parameter.requires_grad_(done > 0.3)
        loss = answer_loss(model, batch)
        step_of(loss, list(model.parameters()), optimizer)
        mean = average.add(loss.item())
        if step % 25 == 24:
            minutes = (time.time() - began) / 60
            print(f"step {step + 1} minutes {minutes:.1f} loss {mean:.4f} rate {rate:.2e}", flush=True)
        if step % 500 == 499:
            keep(model, tokenizer, options.out)
    keep(model, tokenizer, options.out)


def keep(model: Any, tokenizer: Any, out: Path) -> None:
    torch.save(model.state_dict(), f"{out}.pt")
    save(model, tokenizer, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/tiny-vlm"))
    parser.add_argument("--minutes", type=float, default=22, help="of stage 2")
    parser.add_argument("--pretrain", type=float, default=20, help="minutes of stage 1")
    parser.add_argument("--steps", type=int, default=10**9, help="of stage 2")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "tokenizer.json"
    tokenizer = wrapped(tokenizer_file=str(kept)) if options.resume else build_tokenizer()
    model = build_model(tokenizer)
    print("parameters", sum(p.numel() for p in model.parameters()), "vocabulary", len(tokenizer), flush=True)
    if options.resume:
        model.load_state_dict(torch.load(options.resume))
    speed_up(model)
    if options.pretrain:
        pretrain(model, options)
    converse(model, tokenizer, options)


if __name__ == "__main__":
    main()
