"""Which replica takes a request: fair, faithful to what caches know, away from what fails, gentle with what is new."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.balancing import LEFT_OUT_LONGEST, WARMING_SECONDS, Lane, pick
from aimindserve.domain.routing import Endpoint

NOW = 1000.0


def lane(name: str, in_flight: int = 0, **more: float) -> Lane:
    return Lane(Endpoint(name, "127.0.0.1", 1), in_flight=in_flight, **more)  # type: ignore[arg-type]


def name(found: Lane | None) -> str | None:
    return found.endpoint.replica_id if found else None


LOADS = st.lists(st.integers(0, 30), min_size=1, max_size=6)
OPENINGS = st.integers(0, 2**32 - 1)


def test_the_least_busy_is_picked_wherever_its_requests_come_from() -> None:
    assert name(pick([lane("a", 2), lane("b", 1), lane("c", 1)], NOW)) == "b"
    assert name(pick([lane("a", 1), lane("b", 0, elsewhere=3)], NOW)) == "a"
    assert name(pick([lane("a"), lane("b")], NOW, tried={"a"})) == "b"
    assert pick([lane("a")], NOW, tried={"a"}) is None
    assert pick([], NOW) is None


@given(loads=LOADS, tried=st.sets(st.integers(0, 5)))
def test_nobody_left_out_is_less_busy(loads: list[int], tried: set[int]) -> None:
    lanes = [lane(str(number), load) for number, load in enumerate(loads)]
    found = pick(lanes, NOW, {str(number) for number in tried})
    allowed = [one for number, one in enumerate(lanes) if number not in tried]
    assert (found is None) == (not allowed)
    if found is not None:
        assert found.load == min(one.load for one in allowed)


@given(loads=LOADS, opening=OPENINGS)
def test_the_replica_that_knows_the_opening_is_never_much_busier_than_the_average(
    loads: list[int], opening: int
) -> None:
    lanes = [lane(str(number), load) for number, load in enumerate(loads)]
    found = pick(lanes, NOW, (), opening)
    assert found is not None
    assert found.load + 1 <= 1.5 * (sum(loads) + 1) / len(loads) + 1


@given(opening=OPENINGS, names=st.sets(st.text("abcdef0123456789", min_size=1, max_size=8), min_size=2, max_size=6))
def test_one_opening_goes_to_one_replica_and_moves_only_with_it(opening: int, names: set[str]) -> None:
    lanes = [lane(one) for one in sorted(names)]
    home = name(pick(lanes, NOW, (), opening))
    assert name(pick(lanes[::-1], NOW, (), opening)) == home, "whatever the order of the table"
    for gone in names - {home}:
        assert name(pick([one for one in lanes if name(one) != gone], NOW, (), opening)) == home


def test_openings_are_spread_evenly() -> None:
    lanes = [lane(f"replica-{number}") for number in range(4)]
    counts = Counter(name(pick(lanes, NOW, (), opening)) for opening in range(4000))
    assert min(counts[f"replica-{number}"] for number in range(4)) > 800


def test_what_fails_is_left_out_for_longer_and_longer_and_tried_by_one_request_at_a_time() -> None:
    bad, good = lane("bad"), lane("good", 9)
    at, waits = NOW, []
    for _ in range(8):
        bad.failed(at)
        waits.append(bad.out_until - at)
        assert pick([bad, good], at) is good
        at = bad.out_until
        assert pick([bad, good], at) is bad, "it is tried again"
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, LEFT_OUT_LONGEST, LEFT_OUT_LONGEST, LEFT_OUT_LONGEST]
    bad.in_flight = 1
    assert pick([bad, good], at) is good, "by one request at a time"
    bad.answered()
    assert pick([bad, good], at) is bad


def test_when_all_failed_the_one_whose_time_is_over_first_is_used() -> None:
    one, other = lane("one"), lane("other")
    one.failed(NOW)
    one.failed(NOW)
    other.failed(NOW)
    assert pick([one, other], NOW) is other
    assert pick([one, other], NOW, {"other"}) is one


def test_a_new_replica_takes_little_at_first() -> None:
    def given_out(age: float) -> int:
        new, old = lane("new", warm_at=NOW - age + WARMING_SECONDS), lane("old")
        for _ in range(110):
            found = pick([new, old], NOW)
            assert found is not None
            found.in_flight += 1
        return new.in_flight

    shares = [given_out(age) for age in (0.0, WARMING_SECONDS / 2, WARMING_SECONDS)]
    assert shares[0] <= 11 < shares[1] < 40 < shares[2] == 55
