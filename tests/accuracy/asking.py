"""Asking a model about pictures through the official client, and counting right answers."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from openai import OpenAI
from tests.accuracy.pictures import Task, data_uri


def ask(client: OpenAI, task: Task, model: str = "tiny-vlm", *, stream: bool = False) -> str:
    content = [
        {"type": "image_url", "image_url": {"url": data_uri(task.picture)}},
        {"type": "text", "text": task.question},
    ]
    messages = [{"role": "user", "content": content}]
    options = {"model": model, "messages": messages, "temperature": 0, "max_tokens": 48}
    if not stream:
        return client.chat.completions.create(**options).choices[0].message.content or ""  # type: ignore[call-overload]
    pieces = client.chat.completions.create(**options, stream=True)  # type: ignore[call-overload]
    return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


@dataclass
class Score:
    """Right answers, and the wrong ones to look at."""

    right: int = 0
    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)

    def add(self, task: Task, answer: str) -> None:
        self.asked += 1
        if answer == task.answer:
            self.right += 1
            self.by_kind[task.kind] += 1
        else:
            self.wrong.append(f"{task.question!r}: wanted {task.answer!r}, got {answer!r}")

    @property
    def share(self) -> float:
        return self.right / self.asked

    def __str__(self) -> str:
        return f"{self.right}/{self.asked} = {self.share:.1%}\n  " + "\n  ".join(self.wrong[:8])


def score(client: OpenAI, tasks: Iterable[Task], *, stream: bool = False) -> Score:
    counted = Score()
    for task in tasks:
        counted.add(task, ask(client, task, stream=stream))
    return counted


def tasks(make: Callable[[random.Random], Task], seed: int, count: int) -> Iterable[Task]:
    """``count`` tasks; the same for the same seed."""
    for number in range(count):
        yield make(random.Random(f"{seed}/{number}"))
