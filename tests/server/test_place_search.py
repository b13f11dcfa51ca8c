"""One machine of each shape stands for all of them, and the decision is the same."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.memory_models import MISTRAL_7B, QWEN2_VL_2B_GGUF, QWEN2_VL_7B
from tests.server.fit_cases import machine, spec

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.placement import choose
from aimindserve.domain.reasons import Reason
from aimindserve.domain.rooms import fleet_of
from aimindserve.domain.specs import PlacementWishes
from aimindserve.domain.units import GIB
from aimindserve.engines._registry import choose_engine
from aimindserve.server.reconcile.place_search import PlaceSearch

NAMES = [f"n{number}" for number in range(8)]
SHAPES = st.sampled_from([("RTX4090-24GB:2",), ("RTX4090-24GB:2", "L40S-48GB"), ("RTX4060-8GB",), ()])
WISHES = st.builds(
    PlacementWishes,
    strategy=st.sampled_from(["spread", "pack"]),
    labels=st.sampled_from([{}, {}, {"room": "lab"}]),
    devices=st.sampled_from([(), (), ("GPU-n1-0", "GPU-n2-0")]),
)


@st.composite
def fleets(draw: st.DrawFn) -> Sequence[NodeFacts]:
    found: list[NodeFacts] = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True)):
        made = machine(*draw(SHAPES), node_id=name)
        taken = draw(st.sampled_from([0, 0, 10])) * GIB
        devices = tuple(one.model_copy(update={"memory_free": max(0, one.memory_free - taken)}) for one in made.devices)
        given = {"labels": {"room": "lab"}} if draw(st.booleans()) else {}
        found.append(made.model_copy(update={"devices": devices, "drained": draw(st.integers(0, 5)) == 0, **given}))
    return found


@settings(max_examples=60, deadline=None)
@given(
    nodes=fleets(),
    facts=st.sampled_from([QWEN2_VL_7B, QWEN2_VL_2B_GGUF, MISTRAL_7B]),
    wishes=WISHES,
    siblings=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 2), max_size=4),
)
def test_a_decision_is_the_same_as_with_every_machine(
    nodes: Sequence[NodeFacts], facts: ModelFacts, wishes: PlacementWishes, siblings: dict[str, int]
) -> None:
    one = spec("m", placement=wishes)
    engine = choose_engine("auto", facts)
    assert not isinstance(engine, Reason)
    fleet = fleet_of(nodes, ())
    for _ in range(3):
        search = PlaceSearch(one, facts, engine, fleet, None, siblings)
        every = search._cells_without(search._left_out, every=True)  # the slow way, to compare with
        found = search.locate()
        slow = choose(search._ask, [cell for cell in every if not cell.on_cpu])
        if isinstance(found, Reason) or found.cell.on_cpu:
            assert slow is None
        else:
            assert slow is not None
            assert found.assignment == slow.assignment
        if isinstance(found, Reason):
            return
        fleet.book(found.assignment)
        siblings[found.row.node_id] = siblings.get(found.row.node_id, 0) + 1
