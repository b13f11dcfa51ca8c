"""Where an alias leads: by weight, around what is not ready, to the fallback at last."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aimindserve.domain.aliases import AliasSpec
from aimindserve.domain.routing import Alias, ways

NAMES = ("a", "b", "c")
TARGETS = st.lists(st.integers(1, 100), min_size=1, max_size=3).map(
    lambda weights: tuple(zip(NAMES, weights, strict=False))
)


@given(targets=TARGETS, start=st.integers(0, 10**9), length=st.integers(1, 400))
def test_every_run_of_requests_is_split_by_weight(targets: tuple, start: int, length: int) -> None:
    alias = Alias("x", targets)
    counts = Counter(ways(alias, start + number, lambda _: True)[0] for number in range(length))
    whole = sum(weight for _, weight in targets)
    for name, weight in targets:
        assert abs(counts[name] - length * weight / whole) <= 6


def test_ninety_to_ten_is_that() -> None:
    alias = Alias("x", (("old", 90), ("new", 10)))
    counts = Counter(ways(alias, number, lambda _: True)[0] for number in range(1000))
    assert abs(counts["new"] - 100) <= 2


@given(
    targets=TARGETS, ready=st.sets(st.sampled_from([*NAMES, "z"])), number=st.integers(0, 10**6), spare=st.booleans()
)
def test_what_is_not_ready_is_left_out(targets: tuple, ready: set[str], number: int, *, spare: bool) -> None:
    alias = Alias("x", targets, "z" if spare else None)
    found = ways(alias, number, ready.__contains__)
    able = {name for name, _ in targets} & ready
    assert len(set(found)) == len(found)
    if able:
        assert set(found) == able | ({"z"} & ready if spare else set())
        assert found[0] in able
        assert found[-1] == "z" or "z" not in found
    elif spare and "z" in ready:
        assert found == ("z",)
    else:
        assert len(found) == 1
        assert found[0] in dict(targets), "it says what is wrong with that one"


def test_each_deployment_is_named_once() -> None:
    one = {"deployment": "m"}
    assert AliasSpec.model_validate({"targets": [one], "fallback": "n"}).deployments == ("m", "n")
    for wrong in ({"targets": [one, one]}, {"targets": [one], "fallback": "m"}, {"targets": []}):
        with pytest.raises(ValidationError):
            AliasSpec.model_validate(wrong)
