"""How many replicas run: never too few, never flapping, and never at the cost of somebody who is asking."""

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import spec

from aimindserve.domain.scaling import (
    GROW_AFTER_SECONDS,
    Lodger,
    Running,
    Scale,
    Traffic,
    Watch,
    bounds_of,
    decide_target,
    is_elastic,
    leavers,
    target_of,
    watch,
)
from aimindserve.domain.specs import DeploymentSpec, ScalingWishes

NOW = 1_000_000.0


def wishes(replicas: int = 3, **scaling: int | None) -> DeploymentSpec:
    return spec(replicas=replicas, scaling=ScalingWishes(**scaling))  # type: ignore[arg-type]


class Model:
    """A deployment that is looked at each second; what is decided is there at the next look, ready after ``load``."""

    def __init__(self, of: DeploymentSpec, load: int = 0, slots: int = 4) -> None:
        self.spec, self.load, self.slots = of, load, slots
        self.now, self.scale, self.watched = NOW, Scale(target=0, since=NOW), Watch()
        self.last_request_at = 0.0
        self.ready, self.ready_since = 0, 0.0
        self.changes: list[tuple[float, int]] = []

    def look(self, busy: int) -> int:
        self.now += 1.0
        if busy:
            self.last_request_at = self.now
        if self.ready < self.scale.target and self.now - self.scale.since >= self.load:
            self.ready, self.ready_since = self.scale.target, self.now
        self.ready = min(self.ready, self.scale.target)
        running = Running(self.spec, self.scale, self.slots, self.ready, self.ready_since)
        traffic = Traffic(busy, self.last_request_at)
        self.watched = watch(self.watched, running, traffic, self.now)
        target = decide_target(self.watched, running, traffic, self.now)
        if target != self.scale.target:
            self.scale = Scale(target=target, since=self.now)
            self.changes.append((self.now, target))
        return target


def test_fixed_numbers_stay_fixed() -> None:
    assert not is_elastic(spec(replicas=2))
    assert (bounds_of(spec(replicas=2)), target_of(spec(replicas=2), Scale(target=0))) == ((2, 2), 2)
    assert bounds_of(wishes(2, minimum=5)) == (2, 2)
    assert target_of(wishes(3, minimum=0), None) == 1
    assert target_of(wishes(0, minimum=0), None) == 0


def test_it_sleeps_after_its_time_and_wakes_by_a_request() -> None:
    model = Model(wishes(1, minimum=0, idle_seconds=30), load=5)
    assert [model.look(0) for _ in range(5)] == [0] * 5
    assert model.look(1) == 1
    assert [model.look(0) for _ in range(34)] == [1] * 34, "it gets ready although its caller left, then waits"
    assert model.look(0) == 0
    assert model.look(0) == 0


def test_a_request_that_did_not_wait_wakes_it_too() -> None:
    running = Running(wishes(1, minimum=0), Scale(target=0, since=NOW))
    assert decide_target(Watch(), running, Traffic(0, NOW + 1), NOW + 2) == 1
    assert decide_target(Watch(), running, Traffic(0, NOW - 1), NOW + 2) == 0, "that one was before it fell asleep"


def test_it_grows_when_requests_wait_for_some_seconds_and_shrinks_late() -> None:
    model = Model(wishes(3, minimum=1, idle_seconds=60))
    model.look(2)
    for _ in range(int(GROW_AFTER_SECONDS) - 1):
        assert model.look(9) == 1
    assert [model.look(9) for _ in range(3)][-1] == 3
    assert [model.look(1) for _ in range(58)][-1] == 3
    assert [model.look(1) for _ in range(5)][-1] == 1


LOADS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 30)), min_size=1, max_size=30)


@given(loads=LOADS, least=st.integers(0, 3), idle=st.integers(1, 60), load=st.integers(0, 20))
def test_no_flapping_and_never_outside_the_bounds(
    loads: list[tuple[int, int]], least: int, idle: int, load: int
) -> None:
    model = Model(wishes(3, minimum=least, idle_seconds=idle), load)
    for busy, seconds in loads:
        for _ in range(seconds):
            assert least <= model.look(busy) <= 3
            if busy:
                assert model.scale.target >= 1, "who asks is served"
    for (earlier, before), (later, after) in zip(model.changes, model.changes[1:], strict=False):
        if after < before and earlier > NOW + 1:
            assert later - earlier >= idle, "what was started is kept for its time"


def lodger(
    name: str,
    *,
    busy: int = 0,
    used: float = 100.0,
    load: float | None = 10.0,
    minimum: int | None = 0,
    served: float = 500.0,
) -> Lodger:
    running = Running(wishes(1, minimum=minimum), Scale(target=1, load_seconds=load), ready=1, ready_since=NOW - served)
    return Lodger(name, running, Traffic(busy, NOW - used))


LODGERS = st.lists(
    st.builds(
        lodger,
        name=st.text("abcdefgh", min_size=1, max_size=3),
        busy=st.sampled_from([0, 0, 0, 2]),
        used=st.floats(0, 1000),
        load=st.sampled_from([None, 1.0, 30.0, 300.0]),
        minimum=st.sampled_from([0, 0, 0, 1, None]),
        served=st.sampled_from([1.0, 50.0, 5000.0]),
    ),
    max_size=6,
    unique_by=lambda one: one.name,
)


@given(lodgers=LODGERS, sizes=st.lists(st.integers(1, 9), min_size=6, max_size=6), missing=st.integers(1, 30))
def test_nobody_leaves_who_is_busy_always_on_or_just_loaded_and_nobody_without_need(
    lodgers: list[Lodger], sizes: list[int], missing: int
) -> None:
    size = {one.name: sizes[number] for number, one in enumerate(lodgers)}

    def fits(gone: Collection[str]) -> bool:
        return sum(size[name] for name in gone) >= missing

    gone = leavers(lodgers, NOW, fits)
    by_name = {one.name: one for one in lodgers}
    for name in gone:
        one = by_name[name]
        assert one.traffic.busy == 0
        assert one.running.target > 0
        assert bounds_of(one.running.spec)[0] == 0
        assert NOW - one.running.ready_since >= (one.running.scale.load_seconds or 0)  # type: ignore[union-attr]
        assert not fits([other for other in gone if other != name]), f"{name} need not leave"
    willing = [one.name for one in lodgers if one.may_leave(NOW)]
    assert bool(gone) == fits(willing)


def test_the_least_worth_leaves_first() -> None:
    def needs_one(gone: Collection[str]) -> bool:
        return bool(gone)

    assert leavers([lodger("fresh", used=1), lodger("old", used=900)], NOW, needs_one) == ("old",)
    assert leavers([lodger("quick", load=5), lodger("slow", load=300)], NOW, needs_one) == ("quick",)
    assert leavers([lodger("busy", busy=1), lodger("always", minimum=1)], NOW, needs_one) == ()
