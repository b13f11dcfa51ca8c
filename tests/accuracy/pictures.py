"""Fresh pictures with known content, from the generator that the demo model was trained with."""

import base64
import importlib
import io
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FONT_PACKAGES = "fonts-dejavu-core fonts-noto-color-emoji"


# The scripts stand alone and import each other by their bare names; last on the path, so that they hide nothing.
sys.path.append(str(ROOT / "models" / "tiny-vlm"))
questions = importlib.import_module("questions")
scenes = importlib.import_module("scenes")


def fresh_seed() -> int:
    """A seed that nobody chose; a failing test prints it."""
    return random.SystemRandom().randrange(2**32)


def require_fonts() -> None:
    """Digits and emoji are drawn with fonts of the system."""
    if not (scenes.DEJAVU / "DejaVuSans.ttf").exists() or not scenes.EMOJI_FONT.exists():
        pytest.fail(f"the pictures need fonts: apt-get install {FONT_PACKAGES}")


@dataclass(frozen=True)
class Task:
    """A picture, what is asked about it, and the one right answer."""

    kind: str
    picture: Image.Image
    question: str
    answer: str


def caption_task(rng: random.Random, side: int = scenes.SIDE, kind: str | None = None) -> Task:
    picture, facts = scenes.scene(rng, kind=kind, side=side)
    return Task(facts["kind"], picture, rng.choice(questions.DESCRIBE), questions.caption(facts))


def open_task(rng: random.Random, side: int = scenes.SIDE) -> Task:
    """One question that cannot be answered by yes or no."""
    picture, facts = scenes.scene(rng, side=side)
    name, question, answer = rng.choice([q for q in questions.questions(facts, rng) if q[0] not in questions.YES_NO])
    return Task(name, picture, question, answer)


def letterboxed(picture: Image.Image, width: int, height: int) -> Image.Image:
    """``picture`` in a frame of ``width`` x ``height``, the frame made square with its own border's colour."""
    side = max(width, height)
    inner = picture.resize((min(width, height),) * 2, Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side), picture.getpixel((1, 1)))
    square.paste(inner, ((side - inner.width) // 2, (side - inner.height) // 2))
    return square


def stretched_frame(picture: Image.Image, width: int, height: int) -> Image.Image:
    """A picture that is not square: ``picture`` in the middle of a frame of its own background."""
    frame = Image.new("RGB", (width, height), picture.getpixel((1, 1)))
    inner = picture.resize((min(width, height),) * 2, Image.Resampling.BICUBIC)
    frame.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    return frame


def data_uri(picture: Image.Image) -> str:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
