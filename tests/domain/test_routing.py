"""Choosing an endpoint, and names that were meant."""

from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.routing import Endpoint, near_names, pick


def endpoint(name: str) -> Endpoint:
    return Endpoint(replica_id=name, host="127.0.0.1", port=1)


A, B, C = (endpoint(name) for name in "abc")


def test_the_least_busy_endpoint_is_picked() -> None:
    assert pick([A, B, C], {"a": 2, "b": 1, "c": 1}) is B
    assert pick([A, B], {"a": 1}) is B
    assert pick([A, B], {}) is A
    assert pick([A, B], {}, exclude={"a"}) is B
    assert pick([A], {}, exclude={"a"}) is None
    assert pick([], {}) is None


@given(
    loads=st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
    exclude=st.sets(st.sampled_from("abc")),
)
def test_nobody_left_out_is_less_busy(loads: dict[str, int], exclude: set[str]) -> None:
    chosen = pick([A, B, C], loads, exclude)
    allowed = [one for one in (A, B, C) if one.replica_id not in exclude]
    assert (chosen is None) == (not allowed)
    if chosen is not None:
        assert chosen in allowed
        assert loads.get(chosen.replica_id, 0) == min(loads.get(one.replica_id, 0) for one in allowed)


def test_near_names() -> None:
    known = ["tiny-vlm", "Qwen2-VL-7B", "llama"]
    assert near_names("tiny-vln", known) == ("tiny-vlm",)
    assert near_names("qwen2-vl-7b", known) == ("Qwen2-VL-7B",)
    assert near_names("gpt-4o", known) == ()
    assert near_names("", known) == ()
    assert near_names("tiny-vlm" * 100_000, known) == ()
    assert len(near_names("m", ["m1", "m2", "m3", "m4"])) == 3
