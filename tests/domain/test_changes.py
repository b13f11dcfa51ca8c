"""Before and after."""

from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.changes import HIDDEN, changes

FIELDS = st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 3))


@given(FIELDS, FIELDS, st.sets(st.sampled_from("abcd")))
def test_applied_to_what_was_before_they_give_what_is_after(before: dict, after: dict, hidden: set[str]) -> None:
    told = changes(before, after, hidden)
    for name in "abcd":
        if before.get(name) == after.get(name):
            assert name not in told
        elif name in hidden:
            assert told[name] == {"before": HIDDEN, "after": HIDDEN}
        else:
            assert told[name] == {"before": before.get(name), "after": after.get(name)}
