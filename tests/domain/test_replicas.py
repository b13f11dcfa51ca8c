"""How many replicas are made and stopped, what nodes are told, and when memory is free."""

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import deployment, replica

from aimindserve.domain.agent_plan import plan_agent
from aimindserve.domain.replicas import (
    Claim,
    Deployment,
    DesiredState,
    NodeReport,
    Replica,
    ReplicaObservation,
    ReplicaPlan,
    ReplicaState,
    Wanted,
    decide_replicas,
    desired_state,
    is_gone,
)


def test_what_is_missing_is_made_at_the_lowest_indexes() -> None:
    assert decide_replicas(deployment(replicas=3), []).create == (0, 1, 2)
    assert decide_replicas(deployment(replicas=3), [replica(index=1)]).create == (0, 2)
    assert not decide_replicas(deployment(replicas=1), [replica()])


def test_what_is_too_much_goes_the_least_useful_first() -> None:
    ready = replica("ready", index=2, state=ReplicaState.READY)
    starting = replica("starting", index=1, state=ReplicaState.STARTING)
    waiting = replica("waiting", index=0, node=None)
    plan = decide_replicas(deployment(replicas=2), [waiting, starting, ready])
    assert plan == ReplicaPlan(remove=("waiting",))
    plan = decide_replicas(deployment(replicas=1), [waiting, starting, ready])
    assert plan == ReplicaPlan(remove=("waiting",), stop=("starting",))


def test_an_edit_replaces_the_old_generation() -> None:
    plan = decide_replicas(deployment(generation=2), [replica("old")])
    assert plan == ReplicaPlan(create=(0,), stop=("old",))


def test_replicas_with_a_stop_order_do_not_count() -> None:
    assert decide_replicas(deployment(), [replica("old", stop_revision=3)]) == ReplicaPlan(create=(0,))


def test_nothing_is_wanted_of_what_is_stopped_or_deleted() -> None:
    for wanted in (Wanted.STOPPED, Wanted.DELETED):
        plan = decide_replicas(deployment(wanted=wanted), [replica("a"), replica("b", node=None)])
        assert plan == ReplicaPlan(stop=("a",), remove=("b",))


def carried_out(owner: Deployment, replicas: list[Replica], plan: ReplicaPlan) -> list[Replica]:
    gone = {*plan.stop, *plan.remove}
    made = [replica(f"new{index}", index=index, generation=owner.generation, node=None) for index in plan.create]
    return [one for one in replicas if one.id not in gone] + made


@given(
    replicas=st.lists(
        st.builds(
            replica,
            identity=st.text("abcdef", min_size=3, max_size=6),
            index=st.integers(0, 4),
            generation=st.integers(1, 3),
            node=st.sampled_from(["n", None]),
            state=st.sampled_from([None, *ReplicaState]),
            stop_revision=st.sampled_from([None, None, 4]),
        ),
        max_size=7,
        unique_by=lambda one: one.id,
    ),
    count=st.integers(0, 4),
    wanted=st.sampled_from(list(Wanted)),
)
def test_one_plan_is_enough(replicas: list[Replica], count: int, wanted: Wanted) -> None:
    owner = deployment(replicas=count, wanted=wanted, generation=3)
    plan = decide_replicas(owner, replicas)
    after = carried_out(owner, replicas, plan)
    assert not decide_replicas(owner, after)
    live = [one for one in after if not one.stopping]
    assert len(live) == (count if wanted is Wanted.RUNNING else 0)
    assert all(one.generation == 3 for one in live)
    stopped = {one.id: one for one in replicas}
    assert all(stopped[one].assignment for one in plan.stop)
    assert not any(stopped[one].assignment for one in plan.remove)


def test_a_node_is_told_of_its_own_replicas_that_are_wanted() -> None:
    mine = replica("mine", claims=(Claim(device_id="cpu", bytes=5),))
    others = [replica("else", node="other"), replica("waiting", node=None), replica("stopping", stop_revision=2)]
    desired = desired_state("n", 7, [mine, *others], {"d": "public"})
    assert (desired.node_id, desired.revision) == ("n", 7)
    (told,) = desired.replicas
    assert (told.id, told.model, told.claims) == ("mine", "public", mine.assignment.claims if mine.assignment else ())


def test_wire_messages_survive_json() -> None:
    desired = desired_state("n", 7, [replica()], {})
    assert DesiredState.model_validate_json(desired.model_dump_json()) == desired
    seen = ReplicaObservation(id="r", state=ReplicaState.READY, engine_key="secret", port=1)
    assert "secret" not in repr(seen)
    facts = {"node_id": "n", "hostname": "h", "boot_id": "b"}
    report = NodeReport.model_validate({"node_id": "n", "acked_revision": 3, "facts": facts, "replicas": (seen,)})
    assert NodeReport.model_validate_json(report.model_dump_json()) == report


def test_memory_is_free_when_the_node_acts_on_the_stop_order_and_does_not_list_the_replica() -> None:
    stopped = replica("r", stop_revision=5)
    assert is_gone(stopped, 5, set())
    assert is_gone(stopped, 9, {"other"})
    assert not is_gone(stopped, 4, set())
    assert not is_gone(stopped, 5, {"r"})
    assert not is_gone(replica("r"), 9, set())


@given(
    acked=st.integers(0, 6),
    revision=st.integers(0, 6),
    wanted=st.sets(st.sampled_from("abcd")),
    present=st.sets(st.sampled_from("abcd")),
    stopping=st.sets(st.sampled_from("abcd")),
)
def test_a_node_does_what_it_is_told(
    acked: int, revision: int, wanted: set[str], present: set[str], stopping: set[str]
) -> None:
    stopping &= present
    desired = desired_state("n", revision, [replica(name) for name in sorted(wanted)], {})
    plan = plan_agent(desired, acked, present, stopping)
    started = {one.id for one in plan.start}
    assert plan.acked == max(acked, revision)
    if revision < acked:
        assert not started
        assert not plan.stop
        return
    assert started == wanted - present
    assert set(plan.stop) == present - wanted - stopping
    again = plan_agent(desired, plan.acked, present | started, stopping | set(plan.stop))
    assert (again.start, again.stop) == ((), ())
