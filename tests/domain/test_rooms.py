"""How much room devices have."""

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import device, replica

from aimindserve.domain.nodes import CPU_DEVICE_ID, Device, DeviceKind, EngineInstall, NodeFacts
from aimindserve.domain.replicas import Assignment, Claim, ReplicaState
from aimindserve.domain.rooms import fleet_of, foreign_bytes, spaces_of
from aimindserve.domain.units import GIB, MIB


def gpu(identity: str = "gpu0", *, size: int = 80 * GIB, free: int | None = None) -> Device:
    made = device(identity, kind=DeviceKind.NVIDIA, size=size)
    return made.model_copy(update={"name": "card", "memory_free": size if free is None else free})


def node(*devices: Device, node_id: str = "n", engines: tuple[EngineInstall, ...] = ()) -> NodeFacts:
    return NodeFacts(node_id=node_id, hostname=node_id, boot_id="1", devices=devices, engines=engines)


def claim(size: int, identity: str = "gpu0") -> tuple[Claim, ...]:
    return (Claim(device_id=identity, bytes=size),)


def test_what_other_programs_use_cannot_be_claimed() -> None:
    (space,) = spaces_of([node(gpu(free=60 * GIB))], [])
    assert (space.foreign, space.free, space.capacity) == (20 * GIB, 60 * GIB, 60 * GIB)


def test_our_own_replicas_are_not_counted_twice() -> None:
    ready = replica("a", claims=claim(30 * GIB), state=ReplicaState.READY)
    (space,) = spaces_of([node(gpu(free=52 * GIB))], [ready])
    assert (space.foreign, space.free) == (0, 50 * GIB), "28 of 30 GiB are in use, all by the replica"
    (space,) = spaces_of([node(gpu(free=40 * GIB))], [ready])
    assert (space.foreign, space.free, space.capacity) == (10 * GIB, 40 * GIB, 70 * GIB)


def test_who_does_not_run_yet_explains_nothing_that_is_in_use() -> None:
    for state in (None, ReplicaState.DOWNLOADING, ReplicaState.PREPARING, ReplicaState.BACKOFF, ReplicaState.FAILED):
        waiting = replica("a", claims=claim(30 * GIB), state=state)
        (space,) = spaces_of([node(gpu(free=60 * GIB))], [waiting])
        assert (space.foreign, space.free) == (20 * GIB, 30 * GIB), state


def test_small_changes_of_what_is_in_use_change_nothing() -> None:
    one, other = foreign_bytes(gpu(free=80 * GIB - 1), 0), foreign_bytes(gpu(free=80 * GIB - 60 * MIB), 0)
    assert one == other == 64 * MIB
    assert foreign_bytes(gpu(free=80 * GIB), 0) == 0
    assert foreign_bytes(gpu(size=10, free=1), 0) == 10, "never more than there is"


@given(free=st.integers(0, 100), explained=st.integers(0, 200))
def test_never_more_than_is_there(free: int, explained: int) -> None:
    size = 100 * MIB
    foreign = foreign_bytes(gpu(size=size, free=free * MIB), explained * MIB)
    assert max(0, size - free * MIB - explained * MIB) <= foreign <= size


def test_alike_devices_stand_in_rows_the_freest_first() -> None:
    held = replica("a", claims=claim(30 * GIB))
    fleet = fleet_of([node(device(), gpu(), gpu("gpu1"), gpu("small", size=GIB))], [held])
    rows = {group[1].memory_total: fleet.rows(group)["n"] for group in fleet.groups}
    large = rows[80 * GIB]
    assert [space.device.id for space in large.spaces] == ["gpu1", "gpu0"]
    assert [large.room(count) for count in (1, 2, 3)] == [80 * GIB, 50 * GIB, -1]
    assert (large.capacity(2), large.capacity(3)) == (80 * GIB, -1)
    assert large.host is not None
    assert large.host.device.id == CPU_DEVICE_ID
    assert rows[GIB].rooms == (GIB,)


def test_nodes_with_other_programs_are_other_groups() -> None:
    program = EngineInstall(engine="vllm", flavour="vllm", version="1", path="/x")
    nodes = [node(gpu(), node_id="a"), node(gpu(), node_id="b", engines=(program,)), node(gpu(), node_id="c")]
    fleet = fleet_of(nodes, [])
    assert sorted(tuple(fleet.rows(group)) for group in fleet.groups) == [("a", "c"), ("b",)]


def test_what_was_given_away_is_not_there_for_the_next_and_copies_leave_no_trace() -> None:
    fleet = fleet_of([node(gpu(), gpu("gpu1"))], [])
    before = fleet.copy()
    fleet.book(Assignment(node_id="n", claims=claim(30 * GIB), engine="vllm"))
    (row,) = [fleet.rows(group)["n"] for group in fleet.groups]
    assert row.rooms == (80 * GIB, 50 * GIB)
    (row,) = [before.rows(group)["n"] for group in before.groups]
    assert row.rooms == (80 * GIB, 80 * GIB)


def test_nodes_of_one_shape_stand_together_until_they_differ() -> None:
    fleet = fleet_of([node(gpu(), node_id=name) for name in ("a", "b", "c")], [])
    (group,) = fleet.groups
    assert [sorted(members) for members in fleet.groups[group].values()] == [["a", "b", "c"]]
    fleet.book(Assignment(node_id="b", claims=claim(GIB), engine="vllm"))
    assert sorted(sorted(members) for members in fleet.groups[group].values()) == [["a", "c"], ["b"]]
    for name in ("a", "c"):
        fleet.book(Assignment(node_id=name, claims=claim(GIB), engine="vllm"))
    assert [sorted(members) for members in fleet.groups[group].values()] == [["a", "b", "c"]]
