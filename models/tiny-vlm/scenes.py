"""Synthetic pictures with known content. Needs only Pillow and NumPy.

    picture, facts = scene(random.Random(1))  # a picture of 112 x 112 pixels

Fonts (Debian packages): fonts-dejavu-core, fonts-noto-color-emoji.
"""

import functools
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Facts = dict[str, Any]
Colour = tuple[int, int, int]

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
EMOJI_FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
CELL = 28  # patch 14 x spatial merge 2: the side of one image token in pixels
GRID = 4  # a picture is GRID x GRID tokens: 112 x 112 pixels
SIDE = GRID * CELL
SCALE, SCALE_UP_TO = 2, 448  # drawn larger, then reduced: smooth edges, which large pictures do not need

COLOURS: dict[str, Colour] = {
    "red": (210, 25, 30),
    "orange": (240, 115, 10),
    "green": (25, 140, 50),
    "blue": (30, 75, 215),
    "purple": (125, 40, 165),
    "brown": (110, 60, 25),
    "black": (15, 15, 15),
}
BACKGROUNDS: dict[str, Colour] = {
    "white": (248, 248, 248),
    "yellow": (252, 238, 120),
    "pink": (252, 190, 215),
    "grey": (195, 195, 195),
}
SHAPES = ["circle", "square", "triangle", "star", "cross", "heart"]
KINDS = {"single": 30, "pair": 25, "group": 20, "number": 10, "emoji": 15}
# Pairs of colour and shape that are never drawn in training: they test composition.
HELD_OUT = {("purple", "star"), ("green", "heart"), ("orange", "cross"), ("blue", "triangle"), ("red", "square")}
PLACES = {
    (0, 0): "in the top left",
    (1, 0): "at the top",
    (2, 0): "in the top right",
    (0, 1): "on the left",
    (1, 1): "in the centre",
    (2, 1): "on the right",
    (0, 2): "in the bottom left",
    (1, 2): "at the bottom",
    (2, 2): "in the bottom right",
}
EMOJI = {
    "cat": "🐱",
    "dog": "🐶",
    "frog": "🐸",
    "panda": "🐼",
    "lion": "🦁",
    "fish": "🐟",
    "turtle": "🐢",
    "butterfly": "🦋",
    "tree": "🌳",
    "rose": "🌹",
    "sunflower": "🌻",
    "apple": "🍎",
    "banana": "🍌",
    "pizza": "🍕",
    "cup of coffee": "☕",
    "car": "🚗",
    "bicycle": "🚲",
    "rocket": "🚀",
    "house": "🏠",
    "umbrella": "☂️",
    "football": "⚽",
    "key": "🔑",
    "clock": "⏰",
    "smiling face": "😀",
}


def tint(rng: random.Random, name: str) -> Colour:
    """A named colour, a little off."""
    base = {**BACKGROUNDS, **COLOURS}[name]
    red, green, blue = (int(np.clip(c + rng.randint(-12, 12), 0, 255)) for c in base)
    return red, green, blue


def _corners(shape: str) -> list[tuple[float, float]]:
    """Corners of a shape of outer radius 1."""
    if shape == "triangle":
        return [(0, -1), (0.92, 0.75), (-0.92, 0.75)]
    radii = [1 if k % 2 == 0 else 0.42 for k in range(10)]
    return [(r * math.sin(k * math.pi / 5), -r * math.cos(k * math.pi / 5)) for k, r in enumerate(radii)]


def draw_shape(
    draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, r: float, fill: Colour, rng: random.Random
) -> None:
    """One shape of outer radius ``r`` around ``(x, y)``, in pixels."""
    if shape == "circle":
        draw.ellipse([x - r, y - r, x + r, y + r], fill=fill)
    elif shape == "square":
        s = r * 0.86
        draw.rectangle([x - s, y - s, x + s, y + s], fill=fill)
    elif shape == "cross":
        w = r * rng.uniform(0.26, 0.36)
        draw.rectangle([x - w, y - r, x + w, y + r], fill=fill)
        draw.rectangle([x - r, y - w, x + r, y + w], fill=fill)
    elif shape == "heart":
        h = r * 0.53
        draw.ellipse([x - 2 * h + r * 0.03, y - r * 0.8, x + r * 0.03, y - r * 0.8 + 2 * h], fill=fill)
        draw.ellipse([x - r * 0.03, y - r * 0.8, x + 2 * h - r * 0.03, y - r * 0.8 + 2 * h], fill=fill)
        draw.polygon([(x - r * 0.93, y - r * 0.04), (x + r * 0.93, y - r * 0.04), (x, y + r)], fill=fill)
    else:
        draw.polygon([(x + r * a, y + r * b) for a, b in _corners(shape)], fill=fill)


@functools.cache
def emoji_image(char: str) -> Image.Image:
    """An emoji, cropped. The font holds pictures of one size only: 109."""
    image = Image.new("RGBA", (160, 160))
    font = ImageFont.truetype(str(EMOJI_FONT), 109)
    ImageDraw.Draw(image).text((8, 8), char, font=font, embedded_color=True)
    return image.crop(image.getbbox())


@functools.cache
def text_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(DEJAVU / f"DejaVu{name}"), size)


def pick(rng: random.Random, split: str) -> tuple[str, str]:
    """A colour and a shape that belong to the split."""
    while True:
        thing = rng.choice(list(COLOURS)), rng.choice(SHAPES)
        if (thing in HELD_OUT) == (split == "composition"):
            return thing


class Canvas:
    """A picture being drawn, and what it shows. Places and sizes as parts of the side."""

    def __init__(self, rng: random.Random, kind: str, background: str, side: int) -> None:
        self.rng = rng
        self.side = max(side, SIDE) * (SCALE if side <= SCALE_UP_TO else 1)
        self.image = Image.new("RGB", (self.side, self.side), tint(rng, background))
        self.draw = ImageDraw.Draw(self.image)
        self.facts: Facts = {"kind": kind, "bg": background, "spots": []}

    def put(self, colour: str, shape: str, x: float, y: float, r: float, *more: str) -> None:
        s = self.side
        draw_shape(self.draw, shape, x * s, y * s, r * s, tint(self.rng, colour), self.rng)
        self.facts["spots"].append((x, y, r, (colour, shape, *more)))


def _single(canvas: Canvas, split: str) -> None:
    rng = canvas.rng
    colour, shape = pick(rng, split)
    i, j = rng.randrange(3), rng.randrange(3)
    size = "large" if rng.random() < 0.5 else "small"
    at = [0.25, 0.5, 0.75]
    x, y = at[i] + rng.uniform(-0.025, 0.025), at[j] + rng.uniform(-0.025, 0.025)
    canvas.put(colour, shape, x, y, rng.uniform(*((0.22, 0.32) if size == "large" else (0.12, 0.15))), size)
    canvas.facts.update(things=[(colour, shape)], place=PLACES[i, j], size=size, n=1)


def _pair(canvas: Canvas, split: str) -> None:
    rng = canvas.rng
    things = [pick(rng, split)]
    while len(things) < 2:
        other = pick(rng, split)
        if other[1] != things[0][1]:
            things.append(other)
    across = rng.random() < 0.5
    for k, (colour, shape) in enumerate(things):
        u, v = (0.26, 0.74)[k] + rng.uniform(-0.04, 0.04), 0.5 + rng.uniform(-0.2, 0.2)
        canvas.put(colour, shape, *((u, v) if across else (v, u)), rng.uniform(0.15, 0.2))
    canvas.facts.update(things=things, across=across, n=2)


def _group(canvas: Canvas, split: str) -> None:
    rng = canvas.rng
    colour, shape = pick(rng, split)
    n = rng.randint(2, 5)
    spots: list[tuple[float, float]] = []
    r = rng.uniform(0.11, 0.14)
    while len(spots) < n:
        if rng.random() < 0.02:  # start over: the first ones may leave no room
            spots = []
        x, y = rng.uniform(r * 1.15, 1 - r * 1.15), rng.uniform(r * 1.15, 1 - r * 1.15)
        if all((x - a) ** 2 + (y - b) ** 2 > (2.3 * r) ** 2 for a, b in spots):
            spots.append((x, y))
    for x, y in spots:
        canvas.put(colour, shape, x, y, r)
    canvas.facts.update(things=[(colour, shape)], n=n)


def _number(canvas: Canvas, _split: str) -> None:
    rng, side = canvas.rng, canvas.side
    colour = rng.choice(list(COLOURS))
    value = str(rng.randrange(10))
    names = ["Sans.ttf", "Sans-Bold.ttf", "Serif.ttf", "Serif-Bold.ttf", "SansMono.ttf"]
    font = text_font(rng.choice(names), int(side * rng.uniform(0.55, 0.85)))
    x, y = 0.5 + rng.uniform(-0.06, 0.06), 0.5 + rng.uniform(-0.06, 0.06)
    canvas.draw.text((x * side, y * side), value, font=font, fill=tint(rng, colour), anchor="mm")
    canvas.facts["spots"].append((x, y, font.getlength(value) / side / 2, (colour, f"digit {value}")))
    canvas.facts.update(value=value, colour=colour)


def _emoji(canvas: Canvas, _split: str) -> None:
    rng, side = canvas.rng, canvas.side
    name = rng.choice(list(EMOJI))
    emoji = emoji_image(EMOJI[name])
    k = side * rng.uniform(0.5, 0.85) / max(emoji.size)
    emoji = emoji.resize((max(1, int(emoji.width * k)), max(1, int(emoji.height * k))), Image.Resampling.BILINEAR)
    emoji = emoji.rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR, expand=True)
    x, y = int((side - emoji.width) * rng.random()), int((side - emoji.height) * rng.random())
    canvas.image.paste(emoji, (x, y), emoji)
    centre = (x + emoji.width / 2) / side, (y + emoji.height / 2) / side
    canvas.facts["spots"].append((*centre, max(emoji.size) / side / 3, (name,)))
    canvas.facts.update(name=name)


_DRAW = {"single": _single, "pair": _pair, "group": _group, "number": _number, "emoji": _emoji}


def _photographed(image: Image.Image, rng: random.Random, side: int) -> Image.Image:
    """Reduced to ``side`` pixels, some a little blurred or noisy."""
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    filters = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.BOX]
    pixels = np.asarray(image.resize((side, side), rng.choice(filters)), np.float32)
    if rng.random() < 0.25:
        noise = np.random.default_rng(rng.getrandbits(32))
        pixels = pixels + noise.normal(0, rng.uniform(1, 5), pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def scene(
    rng: random.Random, split: str = "train", kind: str | None = None, side: int = SIDE
) -> tuple[Image.Image, Facts]:
    """A picture of ``side`` pixels with the facts that it shows (``spots``: what is where, for training).

    ``split``: ``composition`` draws the pairs of colour and shape that ``train`` never draws.
    """
    background = rng.choice([*BACKGROUNDS, "white", "white"])
    kind = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
    canvas = Canvas(rng, kind, background, side)
    _DRAW[kind](canvas, split)
    return _photographed(canvas.image, rng, side), canvas.facts
