"""Phases of replicas and deployments, and what people may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import deployment, replica

from aimindserve.domain.lifecycle import (
    UNREACHABLE_AFTER_SECONDS,
    Action,
    NodeStatus,
    Phase,
    allowed_actions,
    deployment_phase,
    phase,
)
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.replicas import Deployment, Replica, ReplicaState, Wanted

NOW = 1000.0
HERE = NodeStatus("n", "host", NOW - 1)
SILENT = NodeStatus("n", "host", NOW - UNREACHABLE_AFTER_SECONDS - 5.5)
UNHEARD = NodeStatus("n", "host", None)


def codes(standing: object) -> list[ReasonCode]:
    return [why.code for why in standing.reasons]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ReplicaState.DOWNLOADING, Phase.DOWNLOADING),
        (ReplicaState.PREPARING, Phase.PREPARING),
        (ReplicaState.STARTING, Phase.STARTING),
        (ReplicaState.READY, Phase.READY),
        (ReplicaState.BACKOFF, Phase.FAILED),
        (ReplicaState.FAILED, Phase.FAILED),
        (ReplicaState.STOPPING, Phase.STOPPING),
    ],
)
def test_what_a_node_sees_is_the_phase(state: ReplicaState, expected: Phase) -> None:
    assert phase(replica(state=state), HERE, NOW).phase is expected


def test_a_replica_without_a_device_is_pending_and_says_why() -> None:
    why = reason(ReasonCode.NO_NODE)
    standing = phase(replica(node=None, waiting_for=why), None, NOW)
    assert (standing.phase, standing.reasons) == (Phase.PENDING, (why,))
    assert phase(replica(node=None), None, NOW).reasons == ()


def test_a_replica_that_its_node_has_not_seen_is_placing() -> None:
    for node in (HERE, UNHEARD, None):
        standing = phase(replica(), node, NOW)
        assert (standing.phase, codes(standing)) == (Phase.PLACING, [ReasonCode.WAITING_FOR_NODE])


def test_a_silent_node_makes_its_replicas_unreachable() -> None:
    standing = phase(replica(state=ReplicaState.READY), SILENT, NOW)
    assert standing.phase is Phase.UNREACHABLE
    assert standing.reasons[0].params == {"node": "host", "seconds": 25}
    at_the_limit = NodeStatus("n", "host", NOW - UNREACHABLE_AFTER_SECONDS)
    assert phase(replica(state=ReplicaState.READY), at_the_limit, NOW).phase is Phase.READY


def test_a_stop_order_shows_until_it_is_carried_out() -> None:
    for seen in (None, ReplicaState.READY, ReplicaState.STOPPING):
        standing = phase(replica(state=seen, stop_revision=3), HERE, NOW)
        assert (standing.phase, codes(standing)) == (Phase.STOPPING, [ReasonCode.STOP_REQUESTED])
    lost = phase(replica(stop_revision=3), SILENT, NOW)
    assert codes(lost) == [ReasonCode.NODE_UNREACHABLE, ReasonCode.STOP_REQUESTED]


def test_a_crashed_replica_says_why_and_when_it_comes_back() -> None:
    crash = reason(ReasonCode.ENGINE_CRASHED, exit_code=1)
    one = replica(state=ReplicaState.BACKOFF, seen={"reason": crash, "retry_at": NOW + 3.6, "attempt": 2})
    standing = phase(one, HERE, NOW)
    assert standing.reasons == (crash, reason(ReasonCode.RESTARTING, seconds=4, attempt=3))
    overdue = replica(state=ReplicaState.BACKOFF, seen={"retry_at": NOW - 9})
    assert phase(overdue, HERE, NOW).reasons[0].params["seconds"] == 0


def stand(owner: Deployment, *replicas: Replica, node: NodeStatus = HERE) -> tuple[Phase, list[ReasonCode]]:
    standing = deployment_phase(owner, [(one, phase(one, node if one.assignment else None, NOW)) for one in replicas])
    return standing.phase, codes(standing)


def test_a_deployment_is_as_far_as_its_best_replica_and_names_what_holds_up_the_others() -> None:
    failed = replica("b", state=ReplicaState.FAILED, seen={"reason": reason(ReasonCode.ENGINE_OUT_OF_MEMORY)})
    ready, starting = replica("a", state=ReplicaState.READY), replica("c", state=ReplicaState.STARTING)
    waiting = replica("d", node=None, waiting_for=reason(ReasonCode.NO_NODE))
    assert stand(deployment(replicas=2), ready, failed) == (Phase.READY, [ReasonCode.ENGINE_OUT_OF_MEMORY])
    assert stand(deployment(replicas=2), failed, starting) == (Phase.STARTING, [])
    assert stand(deployment(), failed) == (Phase.FAILED, [ReasonCode.ENGINE_OUT_OF_MEMORY])
    assert stand(deployment(), waiting) == (Phase.PENDING, [ReasonCode.NO_NODE])
    assert stand(deployment()) == (Phase.PENDING, [])


def test_only_the_current_generation_counts() -> None:
    old = replica("a", state=ReplicaState.READY)
    new = replica("b", state=ReplicaState.STARTING, generation=2)
    assert stand(deployment(generation=2), old, new)[0] is Phase.STARTING
    stopping = replica("c", state=ReplicaState.READY, stop_revision=2)
    assert stand(deployment(), stopping)[0] is Phase.PENDING


def test_the_same_reason_is_given_once() -> None:
    both = [replica(name, node=None, waiting_for=reason(ReasonCode.NO_NODE)) for name in "ab"]
    assert stand(deployment(replicas=2), *both) == (Phase.PENDING, [ReasonCode.NO_NODE])


def test_stopped_deployments() -> None:
    stopping = replica(state=ReplicaState.READY, stop_revision=2)
    stopped = deployment(wanted=Wanted.STOPPED)
    assert stand(stopped) == (Phase.STOPPED, [ReasonCode.STOPPED_BY_USER])
    assert stand(stopped, stopping) == (Phase.STOPPING, [ReasonCode.STOP_REQUESTED])
    assert stand(stopped, replica(state=ReplicaState.READY)) == (Phase.STOPPING, [ReasonCode.STOP_REQUESTED])
    assert stand(deployment(replicas=0)) == (Phase.STOPPED, [ReasonCode.SCALED_TO_ZERO])
    assert stand(deployment(wanted=Wanted.DELETED))[0] is Phase.STOPPING
    assert stand(stopped, stopping, node=SILENT)[1] == [ReasonCode.NODE_UNREACHABLE, ReasonCode.STOP_REQUESTED]


def test_actions_follow_what_is_wanted() -> None:
    running = allowed_actions(deployment())
    assert Action.STOP in running
    assert Action.START not in running
    stopped = allowed_actions(deployment(wanted=Wanted.STOPPED))
    assert Action.START in stopped
    assert not {Action.STOP, Action.RESTART} & set(stopped)
    assert allowed_actions(deployment(wanted=Wanted.DELETED)) == ()


REPLICAS = st.builds(
    replica,
    identity=st.text("abc", min_size=1, max_size=2),
    generation=st.integers(1, 2),
    node=st.sampled_from(["n", None]),
    state=st.sampled_from([None, *ReplicaState]),
    stop_revision=st.sampled_from([None, 0, 3]),
)


@given(
    replicas=st.lists(REPLICAS, max_size=4),
    node=st.sampled_from([HERE, SILENT, UNHEARD]),
    wanted=st.sampled_from(list(Wanted)),
    count=st.integers(0, 3),
)
def test_every_state_of_the_world_has_a_phase(
    replicas: list[Replica], node: NodeStatus, wanted: Wanted, count: int
) -> None:
    owner = deployment(wanted=wanted, replicas=count)
    standings = [(one, phase(one, node if one.assignment else None, NOW)) for one in replicas]
    overall = deployment_phase(owner, standings)
    assert (overall.phase is Phase.STOPPED) <= (not replicas)
    assert (overall.phase is Phase.READY) <= any(standing.phase is Phase.READY for _, standing in standings)
