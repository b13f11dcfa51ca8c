"""Stages of starts: how long they take, and when a start is likely to be over."""

import pytest

from aimindserve.domain.startup import (
    KEPT_STARTS,
    Doing,
    Mark,
    StartTimes,
    seconds_left,
    stage_times,
    start_key,
    usual_seconds,
    with_start,
)


def start(*stages: tuple[str, float], attempt: int = 1, replica_id: str = "r-1") -> StartTimes:
    marks, at = [Mark(stage="accepted", at=0)], 0.0
    for stage, seconds in stages:
        at += seconds
        marks.append(Mark(stage=stage, at=at))
    return StartTimes(replica_id=replica_id, attempt=attempt, stages=stage_times(marks))


STARTS = (
    start(("files", 1), ("weights", 10), ("graphs", 4), ("ready", 1)),
    start(("files", 1), ("weights", 30), ("graphs", 6), ("ready", 1), attempt=2),
    start(("files", 1), ("weights", 20), ("ready", 1), attempt=3),
)


def test_a_stage_lasts_from_the_mark_before_it_and_downloads_do_not_count() -> None:
    found = start(("downloaded", 500), ("files", 0.5), ("weights", 12))
    assert [(one.stage, one.seconds) for one in found.stages] == [("files", 0.5), ("weights", 12.0)]


def test_the_usual_time_is_the_median_of_those_that_had_the_stage() -> None:
    assert usual_seconds(STARTS, "weights") == 20
    assert usual_seconds(STARTS, "graphs") == 5
    assert usual_seconds(STARTS, "compile") is None


@pytest.mark.parametrize(
    ("doing", "now", "left"),
    [
        pytest.param(Doing(stage="weights", since=100), 100, 20 + 5 + 1, id="just begun"),
        pytest.param(Doing(stage="weights", since=100), 115, 5 + 5 + 1, id="under way"),
        pytest.param(Doing(stage="weights", since=100), 190, 5 + 1, id="longer than usual"),
        pytest.param(Doing(stage="weights", since=100, share=0.25), 110, 30 + 5 + 1, id="the engine tells"),
        pytest.param(Doing(stage="ready", since=100), 100, 1, id="last"),
        pytest.param(Doing(stage="compile", since=100), 100, None, id="never seen"),
        pytest.param(Doing(stage="weights", since=100), 90, 20 + 5 + 1, id="the clock was set back"),
    ],
)
def test_what_is_left(doing: Doing, now: float, left: float | None) -> None:
    assert seconds_left(STARTS, doing, now) == left


def test_nothing_is_foretold_without_earlier_starts() -> None:
    assert seconds_left((), Doing(stage="weights", since=0), 5) is None


def test_each_attempt_is_remembered_once_and_old_ones_are_forgotten() -> None:
    known: tuple[StartTimes, ...] = ()
    for attempt in range(1, KEPT_STARTS + 3):
        known = with_start(known, start(("weights", attempt), attempt=attempt))
        known = with_start(known, start(("weights", attempt), attempt=attempt))
    assert [one.attempt for one in known] == list(range(KEPT_STARTS + 2, 2, -1))


def test_other_engines_and_models_are_other_starts() -> None:
    keys = {start_key(source, engine) for source in ("hf://a/b", "hf://a/c") for engine in ("vllm", "llama.cpp")}
    assert len(keys) == 4
