"""Limits of keys and people: what is admitted in any minute, and what is told about it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.limits import (
    Allowance,
    Denial,
    Kind,
    Limits,
    Meter,
    Room,
    Window,
    month_begins,
    month_ends,
    month_of,
    subject_of,
)
from aimindserve.domain.views_access import LimitsView, limits_of, limits_view

MONTH = "2026-11"
STEPS = st.lists(st.tuples(st.floats(0, 45), st.integers(0, 4)), max_size=60)


def admitted(limits: Limits, steps: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """(time, pictures) of the requests that pass, of requests after pauses."""
    allowance, now, passed = Allowance([(limits, Meter())]), 1000.25, []
    for pause, images in steps:
        now += pause
        allowance.forget(now, MONTH)
        denials, _ = allowance.admit(images, now)
        if not denials:
            passed.append((now, images))
    return passed


@given(steps=STEPS, most=st.integers(1, 6))
def test_in_no_minute_wherever_it_begins_more_requests_pass_than_the_limit(
    steps: list[tuple[float, int]], most: int
) -> None:
    times = [at for at, _ in admitted(Limits(requests_per_minute=most), steps)]
    for first in times:
        assert sum(first <= at <= first + 60 for at in times) <= most


@given(steps=STEPS, most=st.integers(1, 6))
def test_in_no_minute_more_pictures_pass_than_the_limit(steps: list[tuple[float, int]], most: int) -> None:
    passed = admitted(Limits(images_per_minute=most), steps)
    for first, _ in passed:
        assert sum(images for at, images in passed if first <= at <= first + 60) <= most


@given(steps=STEPS)
def test_whoever_stays_below_the_limit_is_never_denied(steps: list[tuple[float, int]]) -> None:
    spaced = [(62.0, images) for _, images in steps]
    assert len(admitted(Limits(requests_per_minute=1, images_per_minute=4), spaced)) == len(spaced)


@given(steps=STEPS, most=st.integers(1, 5), amount=st.integers(1, 6))
def test_the_wait_that_is_told_is_enough_and_not_a_second_too_long(
    steps: list[tuple[float, int]], most: int, amount: int
) -> None:
    window, now = Window(), 500.5
    for pause, used in steps:
        now += pause
        window.forget(now)
        if window.used + used <= most and used:
            window.add(used, now)
    wait = window.wait(amount, most, now)
    if amount > most:
        assert wait is None
        return
    assert wait is not None
    if wait > 1:
        earlier = Window()
        earlier.restore(window.ages(now), now)
        earlier.forget(now + wait - 1)
        assert earlier.used + amount > most
    window.forget(now + wait)
    assert window.used + amount <= most


@given(steps=STEPS, later=st.floats(0, 200))
def test_a_window_goes_on_elsewhere_with_another_clock(steps: list[tuple[float, int]], later: float) -> None:
    window, now = Window(), 700.75
    for pause, used in steps:
        now += pause
        window.add(used, now)
    window.forget(now)
    other = Window()
    other.restore(window.ages(now), 31.5)
    assert other.used == window.used
    window.forget(now + later)
    other.forget(31.5 + later)
    assert other.used >= window.used, "nothing is forgotten too early"
    other.forget(31.5 + later + 1)
    assert other.used <= window.used, "and not more than a second late"


def test_tokens_count_when_a_request_is_over_and_let_the_next_one_wait() -> None:
    meter = Meter()
    allowance = Allowance([(Limits(tokens_per_minute=100), meter)])
    allowance.forget(10.0, MONTH)
    assert allowance.admit(0, 10.0)[0] == []
    meter.charge(150, 10.5)
    assert allowance.admit(0, 11.0)[0] == [Denial(Kind.TOKENS, 100, 60.0)]
    allowance.forget(71.0, MONTH)
    assert allowance.admit(0, 71.0)[0] == []


def test_a_month_ends_and_another_begins() -> None:
    meter = Meter()
    allowance = Allowance([(Limits(tokens_per_month=100), meter)])
    allowance.forget(0.0, MONTH)
    meter.charge(100, 0.0)
    assert allowance.admit(0, 99.0)[0] == [Denial(Kind.MONTH, 100, math.inf)]
    allowance.forget(100.0, "2026-12")
    assert allowance.admit(0, 100.0)[0] == []


def test_what_others_have_counted_never_makes_it_less() -> None:
    meter = Meter()
    meter.forget(0.0, MONTH)
    meter.charge(10, 0.0)
    meter.spent(MONTH, 7)
    assert meter.month.used == 10
    meter.spent(MONTH, 12)
    assert meter.month.used == 12
    meter.spent("2026-10", 99)
    assert (meter.month.name, meter.month.used) == (MONTH, 12)
    meter.spent("2026-12", 1)
    assert (meter.month.name, meter.month.used) == ("2026-12", 1)


def test_a_request_that_asks_for_more_than_everything_is_never_admitted() -> None:
    allowance = Allowance([(Limits(images_per_minute=3), Meter())])
    assert allowance.admit(4, 0.0)[0] == [Denial(Kind.IMAGES, 3, None)]


def test_the_tightest_of_two_limits_is_told() -> None:
    key, user = Meter(), Meter()
    allowance = Allowance([(Limits(requests_per_minute=10), key), (Limits(requests_per_minute=20), user)])
    assert allowance.admit(0, 5.0) == ([], [Room(Kind.REQUESTS, 10, 9, 61.0)])
    user.requests.add(11, 5.0)
    assert allowance.admit(0, 5.0) == ([], [Room(Kind.REQUESTS, 20, 7, 61.0)])
    user.requests.add(12, 5.0)
    denials, rooms = allowance.admit(0, 5.0)
    assert denials == [Denial(Kind.REQUESTS, 20, 61.0)]
    assert rooms == [Room(Kind.REQUESTS, 20, 0, 61.0)], "never below nothing"


@pytest.mark.parametrize(
    ("at", "month", "begins", "ends"),
    [
        (1_795_613_000.0, "2026-11", 1_793_491_200.0, 1_796_083_200.0),
        (1_798_761_599.0, "2026-12", 1_796_083_200.0, 1_798_761_600.0),
        (1_798_761_600.0, "2027-01", 1_798_761_600.0, 1_801_440_000.0),
    ],
)
def test_months_are_those_of_utc(at: float, month: str, begins: float, ends: float) -> None:
    assert (month_of(at), month_begins(at), month_ends(at)) == (month, begins, ends)


def test_shapes_agree() -> None:
    assert set(LimitsView.model_fields) == set(Limits.__dataclass_fields__)
    full = Limits(1, 2, 3, 4, 5)
    assert limits_of(limits_view(full)) == full
    assert limits_of(LimitsView()) is None
    assert limits_of(limits_view(None)) is None
    assert limits_of(limits_view(replace(full, concurrent=None))) == replace(full, concurrent=None)
    assert subject_of(key_id="a") != subject_of(user_id="a")


def test_what_was_heard_of_others_counts_and_is_no_news() -> None:
    meter = Meter()
    meter.take(2, 5.0)
    meter.charge(30, 5.0)
    meter.hear(1, 10, 3, 5.0)
    assert (meter.requests.used, meter.tokens.used, meter.images.used, meter.month.used) == (2, 40, 5, 40)
    assert meter.news == [1, 30, 2]
