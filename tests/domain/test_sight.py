"""Drawn pictures hold what they say, and answers are judged by it."""

import io

import pytest
from PIL import Image

from aimindserve.domain.sight import SightOutcome, judge, sight_of
from aimindserve.domain.sight_pictures import SIDE, SightKind, Trial, trials

COLOURS = {"red": (220, 30, 30), "blue": (30, 60, 220), "green": (20, 160, 50)}
ALL = [trial for number in range(6) for trial in trials(number)]


def trial_of(kind: SightKind, number: int = 0) -> Trial:
    return next(trial for trial in trials(number) if trial.kind is kind)


def blobs(picture: Image.Image) -> int:
    """Separate areas that are not white."""
    dark = {(x, y) for y in range(0, SIDE, 2) for x in range(0, SIDE, 2) if picture.getpixel((x, y)) != (255, 255, 255)}
    found = 0
    while dark:
        found, front = found + 1, [dark.pop()]
        while front:
            x, y = front.pop()
            near = {(x + 2, y), (x - 2, y), (x, y + 2), (x, y - 2)} & dark
            dark -= near
            front += near
    return found


@pytest.mark.parametrize("trial", ALL, ids=lambda trial: f"{trial.kind}-{trial.shown}")
def test_a_picture_is_small_and_any_reader_reads_it(trial: Trial) -> None:
    picture = Image.open(io.BytesIO(trial.png))
    picture.load()
    assert (picture.size, picture.mode, picture.format) == ((SIDE, SIDE), "RGB", "PNG")
    assert len(trial.png) < 2000
    if trial.kind is SightKind.COLOUR:
        assert picture.getpixel((SIDE // 2, SIDE // 2)) == COLOURS[trial.shown]
        assert blobs(picture) == 1
    if trial.kind is SightKind.COUNT:
        assert blobs(picture) == int(trial.shown)


def test_what_is_shown_changes_from_start_to_start() -> None:
    assert {trial_of(SightKind.COLOUR, number).shown for number in range(3)} == set(COLOURS)
    assert len({trial.png for trial in ALL}) > len(trials(0))


@pytest.mark.parametrize(
    ("kind", "answer", "right"),
    [
        (SightKind.COLOUR, "The square is **red**.", True),
        (SightKind.COLOUR, "RED", True),
        (SightKind.COLOUR, "It could be red, green or blue.", False),
        (SightKind.COLOUR, "The square is hundred", False),
        (SightKind.COLOUR, "", False),
        (SightKind.COUNT, "There are two shapes.", True),
        (SightKind.COUNT, "2", True),
        (SightKind.COUNT, "12", False),
        (SightKind.TEXT, "The number is 7.", True),
        (SightKind.TEXT, "77", False),
    ],
)
def test_an_answer_is_judged_by_what_is_shown(kind: SightKind, answer: str, *, right: bool) -> None:
    assert judge(trial_of(kind), answer).right is right


def test_what_was_said_is_kept_short_and_printable() -> None:
    told = judge(trial_of(SightKind.COLOUR), "a\x1b[31m\n\n  b\x00" + "x" * 500).answer
    assert told.isprintable()
    assert told.startswith("a [31m b x")
    assert len(told) <= 120


def test_one_wrong_answer_is_no_proof_and_none_is_a_failure() -> None:
    right, wrong = (judge(trial_of(SightKind.COLOUR), answer) for answer in ("red", "a dog"))
    assert sight_of([right]).outcome is SightOutcome.PASSED
    assert sight_of([right, wrong]).outcome is SightOutcome.CONTENT_WRONG
    assert sight_of([]).outcome is SightOutcome.FAILED
