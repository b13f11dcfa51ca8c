"""Questions with exact answers about the pictures of ``scenes.py``.

    caption(facts), questions(facts, random.Random(2))

``python questions.py FOLDER N`` writes N pictures and ``answers.json``.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

from scenes import COLOURS, EMOJI, KINDS, SHAPES, Facts, scene

COUNT = ["no", "one", "two", "three", "four", "five"]


def with_article(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def plural(noun: str) -> str:
    return noun + "es" if noun == "cross" else noun + "s"


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
