"""On every declared fleet: whatever is deployed, in whatever order, claims never exceed a device."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.fit_cases import BY_NAME

from aimindserve.domain.rooms import fleet_of
from aimindserve.domain.specs import PlacementWishes
from aimindserve.engines._registry import with_assumed_engines
from aimindserve.server.fit_trials import try_places
from aimindserve.sim.fleet import fleet_names, load_fleet

WISHES = st.builds(
    PlacementWishes,
    strategy=st.sampled_from(["spread", "pack"]),
    cpu=st.sampled_from(["auto", "allow", "never"]),
)
ORDERS = st.lists(st.tuples(st.sampled_from(sorted(BY_NAME)), st.integers(1, 3), WISHES), min_size=1, max_size=4)


@pytest.mark.parametrize("name", fleet_names())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders=ORDERS)
def test_claims_never_exceed_a_device(name: str, orders: list[tuple[str, int, PlacementWishes]]) -> None:
    nodes = [with_assumed_engines(node.model_copy(update={"engines": ()})) for node in load_fleet(name).nodes]
    fleet = fleet_of(nodes, ())
    for model, replicas, wishes in orders:
        spec, facts = BY_NAME[model]
        wanted = spec.model_copy(update={"replicas": replicas, "placement": wishes})
        for placed, _ in try_places(wanted, facts, fleet, None).placed:
            assert placed.plan.gpus or wishes.cpu != "never"
    for spaces in fleet.spaces.values():
        for space in spaces:
            assert space.claimed + space.foreign <= space.device.allocatable
