"""What a change made of something, as its event tells it: each field before and after."""

from collections.abc import Collection, Mapping
from typing import Any

HIDDEN = "•••"
"""Stands in events for a value that may be secret."""


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], hidden: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """The fields that differ, by name, each with ``before`` and ``after`` (plain JSON values; None: not set). Of those
    in ``hidden`` only that they changed."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {
        name: {
            "before": HIDDEN if name in hidden else before.get(name),
            "after": HIDDEN if name in hidden else after.get(name),
        }
        for name in sorted(names)
    }
