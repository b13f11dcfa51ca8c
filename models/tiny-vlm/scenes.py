"""Synthetic pictures with known content, and questions with exact answers about them. Needs only Pillow and NumPy.

    picture, facts = scene(random.Random(1))            # a picture of 112 x 112 pixels
    caption(facts), questions(facts, random.Random(2))

Fonts (Debian packages): fonts-dejavu-core, fonts-noto-color-emoji. ``python scenes.py FOLDER N`` writes N pictures and
``answers.json``.
"""

import functools
import json
import math
import random
import sys
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
SCALE = 2  # drawn larger, then reduced: smooth edges

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
COUNT = ["no", "one", "two", "three", "four", "five"]
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


def with_article(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def plural(noun: str) -> str:
    return noun + "es" if noun == "cross" else noun + "s"


# ---- pictures --------------------------------------------------------------------------------------------------


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
        self.side = max(side, SIDE) * SCALE
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


# ---- questions and answers -------------------------------------------------------------------------------------

DESCRIBE = [
    "Describe this image.",
    "Describe the image.",
    "Describe this picture.",
    "What is in this image?",
    "What's in this image?",
    "What do you see?",
    "What is in the picture?",
    "What's in this picture?",
    "What does this image show?",
    "Caption this image.",
    "Describe the image in one sentence.",
    "Please describe this image.",
    "Can you describe this picture?",
    "Tell me what you see.",
    "What is shown here?",
    "Describe what you see in this image.",
    "Describe this image in detail.",
    "What is this?",
    "Describe the picture",
    "What can you see in this image?",
]


def caption(facts: Facts) -> str:
    on = f" on {with_article(facts['bg'])} background."
    kind = facts["kind"]
    if kind == "single":
        colour, shape = facts["things"][0]
        return f"A {facts['size']} {colour} {shape} {facts['place']}{on}"
    if kind == "pair":
        first, second = (with_article(f"{colour} {shape}") for colour, shape in facts["things"])
        where = "to the left of" if facts["across"] else "above"
        return capitalised(f"{first} {where} {second}{on}")
    if kind == "group":
        colour, shape = facts["things"][0]
        return capitalised(f"{COUNT[facts['n']]} {colour} {plural(shape)}{on}")
    if kind == "number":
        return f"The number {facts['value']} in {facts['colour']}{on}"
    return capitalised(f"{with_article(facts['name'])}{on}")


Question = tuple[str, str, str]
YES_NO = ("presence", "verify")


def questions(facts: Facts, rng: random.Random) -> list[Question]:
    """Every question type that suits the picture: ``(type, question, answer)``."""
    colour = rng.choice(["color", "colour"])
    here = rng.choice(["in the image", "in the picture", "in this image", "here"])
    asked = rng.choice([f"What {colour} is the background?", f"What is the background {colour}?"])
    found: list[Question] = [("background", asked, f"The background is {facts['bg']}.")]
    if facts["kind"] == "number":
        return found + _about_number(facts, rng, colour, here)
    if facts["kind"] == "emoji":
        return found + _about_emoji(facts, rng, here)
    thing = rng.choice(facts["things"])
    found += _about_things(facts, rng, thing, colour, here)
    found += _yes_or_no(facts, rng, thing, here)
    return found + _about_layout(facts, rng, thing[1], here)


def _about_things(facts: Facts, rng: random.Random, thing: tuple[str, str], word: str, here: str) -> list[Question]:
    colour, shape = thing
    many = facts["kind"] == "group"
    it, be = (plural(shape), "are") if many else (shape, "is")
    n = facts["n"]
    ask = rng.choice([f"What {word} {be} the {it}?", f"Which {word} {be} the {it}?"])
    wordings = [
        f"How many shapes are there {here}?",
        f"How many shapes are {here}?",
        "How many shapes are there?",
        "Count the shapes.",
        "How many shapes do you see?",
    ]
    counted = f"There {'is' if n == 1 else 'are'} {COUNT[n]} shape{'' if n == 1 else 's'}."
    return [("colour", ask, f"The {it} {be} {colour}."), ("count", rng.choice(wordings), counted)]


def _yes_or_no(facts: Facts, rng: random.Random, thing: tuple[str, str], here: str) -> list[Question]:
    colour, shape = thing
    many = facts["kind"] == "group"
    it, be, they = (plural(shape), "are", "they are") if many else (shape, "is", "it is")
    other = rng.choice([s for s in SHAPES if s not in [t[1] for t in facts["things"]]])
    yes = rng.random() < 0.5
    named = with_article(shape if yes else other)
    ask = rng.choice([f"Is there {named} {here}?", f"Is there {named}?", f"Do you see {named}?"])
    wrong = rng.choice([c for c in COLOURS if c != colour])
    return [
        ("presence", ask, f"Yes, there is {named}." if yes else f"No, there is no {other}."),
        (
            "verify",
            f"{capitalised(be)} the {it} {colour if yes else wrong}?",
            f"{'Yes' if yes else 'No'}, {they} {colour}.",
        ),
    ]


def _about_layout(facts: Facts, rng: random.Random, shape: str, here: str) -> list[Question]:
    kind = facts["kind"]
    if kind == "group":
        ask = rng.choice([f"What shapes are {here}?", "What shapes are they?"])
        return [("shape", ask, f"They are {plural(shape)}.")]
    wheres = [f"Where is the {shape}?", f"Where is the {shape} {here}?"]
    if kind == "pair":
        sides = ("on the left", "on the right") if facts["across"] else ("at the top", "at the bottom")
        side = sides[[t[1] for t in facts["things"]].index(shape)]
        return [("place", rng.choice(wheres), f"The {shape} is {side}.")]
    ask = rng.choice([f"What shape is {here}?", "What shape is it?", "Which shape is this?"])
    where = rng.choice(wheres)
    size = rng.choice([f"How big is the {shape}?", f"Is the {shape} large or small?"])
    return [
        ("shape", ask, f"It is {with_article(shape)}."),
        ("place", where, f"The {shape} is {facts['place']}."),
        ("size", size, f"The {shape} is {facts['size']}."),
    ]


def _about_number(facts: Facts, rng: random.Random, word: str, here: str) -> list[Question]:
    asks = [
        f"What number is {here}?",
        "What number is this?",
        "Read the number.",
        "Which number is shown?",
        "What does it say?",
    ]
    return [
        ("number", rng.choice(asks), f"The number is {facts['value']}."),
        ("colour", f"What {word} is the number?", f"The number is {facts['colour']}."),
    ]


def _about_emoji(facts: Facts, rng: random.Random, here: str) -> list[Question]:
    yes = rng.random() < 0.5
    named = with_article(facts["name"] if yes else rng.choice([name for name in EMOJI if name != facts["name"]]))
    it = with_article(facts["name"])
    ask = rng.choice(["What object is this?", f"What object is {here}?", "Name the object."])
    verify = rng.choice([f"Is this {named}?", f"Is it {named}?"])
    return [("object", ask, f"It is {it}."), ("verify", verify, f"{'Yes' if yes else 'No'}, it is {it}.")]


def samples(folder: Path, count: int) -> None:
    """Write pictures and what they show."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random("samples")
    rows: list[dict[str, Any]] = []
    for i in range(count):
        image, facts = scene(rng, kind=list(KINDS)[i % len(KINDS)])
        image.save(folder / f"{i:02d}.png")
        asked = [question[1:] for question in questions(facts, rng)]
        rows.append({"file": f"{i:02d}.png", "caption": caption(facts), "questions": asked})
    (folder / "answers.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    samples(Path(sys.argv[1]), int(sys.argv[2]))
