"""Emptying a machine: others come first, then what runs there goes."""

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import deployment, replica

from aimindserve.domain.replicas import Replica, ReplicaPlan, ReplicaState, decide_replicas

READY = ReplicaState.READY


def test_what_runs_on_a_drained_machine_goes_on_until_another_is_ready() -> None:
    here = replica("here", node="n", state=READY)
    assert decide_replicas(deployment(), [here]) == ReplicaPlan()
    assert decide_replicas(deployment(), [here], {"n"}) == ReplicaPlan(create=(1,))
    for other in (
        replica("new", index=1, node=None),
        replica("new", index=1, node="m"),
        replica("new", index=1, node="m", state=ReplicaState.STARTING),
    ):
        assert decide_replicas(deployment(), [here, other], {"n"}) == ReplicaPlan()
    ready = replica("new", index=1, node="m", state=READY)
    assert decide_replicas(deployment(), [here, ready], {"n"}) == ReplicaPlan(stop=("here",))


def test_a_machine_that_takes_replicas_again_keeps_what_it_has() -> None:
    here, waiting = replica("here", state=READY), replica("new", index=1, node=None)
    assert decide_replicas(deployment(), [here, waiting]) == ReplicaPlan(remove=("new",))


def test_fewer_replicas_of_a_drained_machine_go_at_once() -> None:
    both = [replica("a", state=READY), replica("b", index=1)]
    assert decide_replicas(deployment(replicas=1), both, {"n"}) == ReplicaPlan(create=(1,), stop=("b",))
    assert decide_replicas(deployment(replicas=0), both, {"n"}) == ReplicaPlan(stop=("a", "b"))


STATES = st.sampled_from([None, ReplicaState.STARTING, READY, ReplicaState.BACKOFF, ReplicaState.FAILED])
REPLICAS = st.lists(st.tuples(st.sampled_from(["n", "m", None]), STATES), max_size=6)


@given(made=REPLICAS, target=st.integers(0, 4), drained=st.sets(st.sampled_from(["n", "m"])))
def test_emptying_never_leaves_fewer_ready_than_there_were_or_are_wanted(
    made: list[tuple[str | None, ReplicaState | None]], target: int, drained: set[str]
) -> None:
    replicas = [
        replica(f"r{at}", index=at, node=node, state=state if node else None) for at, (node, state) in enumerate(made)
    ]
    plan = decide_replicas(deployment(replicas=target), replicas, drained)
    left = [one for one in replicas if one.id not in {*plan.stop, *plan.remove}]
    ready = sum(one.is_ready for one in replicas)
    assert sum(one.is_ready for one in left) >= min(ready, target)
    staying = [one for one in left if not _is_on(one, drained)]
    assert len(staying) + len(plan.create) == target
    indexes = [one.index for one in left] + list(plan.create)
    assert len(indexes) == len(set(indexes))


def _is_on(one: Replica, nodes: set[str]) -> bool:
    return one.assignment is not None and one.assignment.node_id in nodes
