"""Where replicas go, and why they do not."""

from collections.abc import Callable
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import device, space

from aimindserve.domain.nodes import DeviceKind, NodeFacts
from aimindserve.domain.placement import Ask, Cell, Demand, Level, Option, choose, lacks, nearest_lack
from aimindserve.domain.placement_nodes import all_left_out, left_out
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.rooms import DeviceSpace, Row, row_of
from aimindserve.domain.specs import PlacementWishes

GIB = 1024**3
GPU, CPU = DeviceKind.NVIDIA, DeviceKind.CPU
PACK = PlacementWishes(strategy="pack")


def row(*spaces: DeviceSpace, host: int | None = None) -> Row:
    memory = None if host is None else space("cpu", node=spaces[0].node_id, size=host)
    return row_of(spaces, memory)


def gpus(*free: int, node: str = "n", host: int | None = None, size: int = 100) -> Row:
    made = [space(f"gpu{at}", node=node, kind=GPU, size=size, claimed=size - one) for at, one in enumerate(free)]
    return row(*made, host=host)


def cell(size: int, *rows: Row, count: int = 1, host: int = 0, preference: int = 0, least: int | None = None) -> Cell:
    """Places for who would like ``size`` bytes and can do with ``least``."""

    def demand(budget: int | None) -> Demand:
        return Demand(size if budget is None else max(least or size, min(size, budget)), host)

    return Cell(count, rows, demand, preference)


def ask(wishes: PlacementWishes | None = None, **more: object) -> Ask:
    return Ask("llama.cpp", wishes or PlacementWishes(), **more)  # type: ignore[arg-type]


def where(found: Option | None) -> tuple[str, ...]:
    assert found is not None
    return (found.assignment.node_id, *(claim.device_id for claim in found.assignment.claims))


def refusal(one: Cell, asked: Ask | None = None) -> Reason:
    assert choose(asked or ask(), [one]) is None
    lack = nearest_lack(asked or ask(), one)
    assert lack is not None
    return lack.reason


def test_who_spreads_takes_the_freest_and_who_packs_the_fullest_that_suffices() -> None:
    rows = (gpus(40, 90, 60), gpus(70, 55, node="m"))
    assert where(choose(ask(), [cell(50, *rows)])) == ("n", "gpu1")
    assert where(choose(ask(PACK), [cell(50, *rows)])) == ("m", "gpu1")
    assert where(choose(ask(), [cell(50, *rows, count=2)])) == ("n", "gpu1", "gpu2")
    assert where(choose(ask(PACK), [cell(50, *rows, count=2)])) == ("m", "gpu0", "gpu1")
    equal = (gpus(90, 90), gpus(90, 90, node="a"))
    assert where(choose(ask(), [cell(50, *equal)])) == ("a", "gpu0"), "then by name"


def test_copies_of_a_model_go_to_different_machines() -> None:
    rows = (gpus(90, 90), gpus(60, node="m"))
    assert where(choose(ask(siblings={"n": 1}), [cell(50, *rows)])) == ("m", "gpu0")
    assert where(choose(ask(PACK, siblings={"m": 1}), [cell(50, *rows)])) == ("m", "gpu0"), "who packs does not care"


def test_few_gpus_then_all_that_is_wanted_then_the_better_kind() -> None:
    one, two = gpus(90, 90), gpus(80, node="m")
    assert where(choose(ask(), [cell(50, one, count=2), cell(85, two, least=60)])) == ("m", "gpu0")
    assert where(choose(ask(), [cell(85, two, least=60), cell(85, one)])) == ("n", "gpu0")
    assert where(choose(ask(), [cell(50, two), cell(50, one, preference=1)])) == ("m", "gpu0")


def test_a_whole_model_on_many_gpus_comes_before_a_part_on_one_and_that_before_the_cpu() -> None:
    partly = Cell(1, (gpus(90),), lambda _: Demand(50, level=Level.PARTLY))
    slow = Cell(1, (row(space("cpu", size=900)),), lambda _: Demand(50, level=Level.CPU))
    whole = cell(60, gpus(90, 90, 90, 90), count=4)
    assert where(choose(ask(), [slow, partly, whole])) == ("n", "gpu0", "gpu1", "gpu2", "gpu3")
    assert where(choose(ask(), [slow, partly])) == ("n", "gpu0")
    assert where(choose(ask(), [slow])) == ("n", "cpu")


def test_who_cannot_have_all_takes_what_the_freest_gives() -> None:
    found = choose(ask(PACK), [cell(95, gpus(40, 70), gpus(60, node="m"), least=30)])
    assert where(found) == ("n", "gpu1")
    assert found is not None
    assert (found.demand.bytes, found.shrunk) == (70, True)


def test_claims_say_what_is_held_on_gpus_and_beside_them() -> None:
    held_already = row(space("a", kind=GPU, claims=1), space("b", kind=GPU, claims=1), host=50)
    found = choose(ask(exclusive=True), [cell(30, held_already, count=2, host=20)])
    assert found is None, "they have claims already"
    free = row(space("a", kind=GPU), space("b", kind=GPU), host=50)
    found = choose(ask(exclusive=True), [cell(30, free, count=2, host=20)])
    assert found is not None
    held = [(claim.device_id, claim.bytes, claim.exclusive) for claim in found.assignment.claims]
    assert held == [("a", 30, True), ("b", 30, True), ("cpu", 20, False)]


def test_the_machine_must_have_what_is_needed_beside_the_gpu() -> None:
    poor, rich = gpus(90, host=10), gpus(80, node="m", host=30)
    assert where(choose(ask(), [cell(50, poor, rich, host=20)])) == ("m", "gpu0", "cpu")
    assert where(choose(ask(), [cell(95, poor, rich, host=20, least=40)])) == ("m", "gpu0", "cpu")
    why = refusal(cell(50, poor, host=20))
    assert why.code is ReasonCode.HOST_MEMORY_INSUFFICIENT
    assert why.params == {"needed": "20 B", "free": "10 B", "largest": "10 B"}


def test_wishes() -> None:
    rows = (gpus(90, 80, node="a"), gpus(90, 70, node="b"))
    second = PlacementWishes(devices=("gpu1",))
    assert where(choose(ask(second), [cell(50, *rows)])) == ("a", "gpu1")
    assert choose(ask(second), [cell(50, *rows, count=2)]) is None
    nobody = ask(PlacementWishes(devices=("gpu9",)))
    assert (choose(nobody, [cell(50, *rows)]), nearest_lack(nobody, cell(50, *rows))) == (None, None)


def machine(name: str, *, drained: bool = False, **labels: str) -> NodeFacts:
    gpu = device(f"{name}-gpu", kind=GPU)
    return NodeFacts(node_id=name, hostname=f"host-{name}", boot_id="b", devices=(gpu,), labels=labels, drained=drained)


def test_machines_that_are_left_out_say_why() -> None:
    lab = machine("a", room="lab", disk="ssd")
    assert left_out(lab, PlacementWishes()) is None
    assert left_out(lab, PlacementWishes(labels={"room": "lab"}, nodes=("a",), devices=("a-gpu",))) is None
    for wishes in (PlacementWishes(nodes=("b",)), PlacementWishes(devices=("b-gpu",), labels={"room": "x"})):
        why = left_out(lab, wishes)
        assert why is not None
        assert why.code is ReasonCode.NODE_NOT_WISHED
    missing = left_out(lab, PlacementWishes(labels={"room": "attic", "disk": "ssd", "rack": "7"}))
    assert missing is not None
    assert (missing.code, missing.params["labels"]) == (ReasonCode.NODE_LABELS_MISSING, "rack=7, room=attic")
    drained = left_out(machine("a", drained=True), PlacementWishes())
    assert drained is not None
    assert (drained.code, drained.params) == (ReasonCode.NODE_DRAINED, {"node": "host-a"})


def test_where_all_machines_are_left_out_what_ends_by_itself_is_told() -> None:
    wishes = PlacementWishes(labels={"room": "lab"}, nodes=("a", "b"))
    whys = [left_out(one, wishes) for one in (machine("a"), machine("b", drained=True, room="lab"), machine("c"))]
    assert all_left_out([why for why in whys if why], wishes).code is ReasonCode.NODE_DRAINED
    unknown = all_left_out([why for why in (whys[0], whys[2]) if why], wishes)
    assert (unknown.code, unknown.params) == (ReasonCode.NODE_UNKNOWN, {"wish": "a, b, room=lab"})


def test_why_not() -> None:
    small = refusal(cell(3 * GIB, row(space(size=2 * GIB)), row(space("x", node="m", size=GIB))))
    assert (small.code, small.params) == (ReasonCode.MEMORY_INSUFFICIENT, {"needed": "3.0 GiB", "largest": "2.0 GiB"})
    busy = row(space("a", size=4 * GIB, claimed=3 * GIB, claims=1))
    claimed = refusal(cell(3 * GIB, busy, row(space("b", node="m", size=2 * GIB))))
    assert claimed.code is ReasonCode.MEMORY_CLAIMED
    assert claimed.params == {"needed": "3.0 GiB", "free": "1.0 GiB", "largest": "4.0 GiB"}
    used = refusal(cell(3 * GIB, row(space("a", size=4 * GIB, foreign=2 * GIB))))
    assert (used.code, used.params["free"]) == (ReasonCode.MEMORY_IN_USE, "2.0 GiB")
    few = refusal(cell(1, gpus(90, 90), count=4))
    assert (few.code, few.params) == (ReasonCode.GPUS_TOO_FEW, {"needed": 4, "found": 2})
    told = reason(ReasonCode.PARAMETER_VALUE, flag="--x", value="1", expected="2")
    assert refusal(Cell(1, (gpus(90),), lambda _: Demand(1, refused=told))) == told


def test_each_node_says_what_it_misses() -> None:
    rows = (gpus(90), gpus(20, node="m"), gpus(90, 90, node="o", host=1), gpus(90, node="p"))
    found = lacks(ask(), cell(50, *rows, host=5))
    assert {node: lack.code for node, lack in found.items()} == {
        "m": ReasonCode.MEMORY_CLAIMED,
        "o": ReasonCode.HOST_MEMORY_INSUFFICIENT,
    }


def test_who_wants_a_device_alone_waits_for_it_to_be_empty() -> None:
    taken = row(space(size=GIB, claimed=1, claims=1))
    assert choose(ask(exclusive=True), [cell(1, taken)]) is None
    assert where(choose(ask(), [cell(1, taken)])) == ("n", "cpu")


def test_nobody_joins_who_wants_to_be_alone_however_little_is_asked() -> None:
    for alone in (
        space(claimed=1, claims=1, exclusively_claimed=True),
        space(claimed=1, claims=1, shared=False),
    ):
        assert refusal(cell(0, row(alone))).code is ReasonCode.MEMORY_CLAIMED


SPACES = st.lists(
    st.builds(
        space,
        identity=st.sampled_from(["a", "b", "c"]),
        node=st.sampled_from(["n", "m"]),
        kind=st.just(GPU),
        size=st.integers(0, 100),
        shared=st.booleans(),
        claimed=st.integers(0, 120),
        foreign=st.integers(0, 30),
        claims=st.integers(0, 3),
        exclusively_claimed=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: (one.node_id, one.device.id),
)
HOSTS = st.fixed_dictionaries({"n": st.integers(0, 60), "m": st.integers(0, 60)})


def stepwise(steps: list[int], host: int) -> Callable[[int | None], Demand]:
    """A plan that takes the first of ``steps``, the largest first, that is within the budget, else the last. What is
    not on the device is beside it."""

    def demand(budget: int | None) -> Demand:
        taken = next((step for step in steps if budget is None or step <= budget), steps[-1])
        return Demand(taken, host + (steps[0] - taken))

    return demand


@given(
    spaces=SPACES,
    hosts=HOSTS,
    steps=st.lists(st.integers(1, 110), min_size=1, max_size=4).map(lambda some: sorted(some, reverse=True)),
    host=st.integers(0, 40),
    counts=st.sets(st.integers(1, 3), min_size=1),
    strategy=st.sampled_from(["spread", "pack"]),
    exclusive=st.booleans(),
    seed=st.randoms(),
)
def test_a_place_always_fits_and_is_found_when_there_is_one(
    spaces: list[DeviceSpace],
    hosts: dict[str, int],
    steps: list[int],
    host: int,
    counts: set[int],
    strategy: str,
    exclusive: bool,
    seed: object,
) -> None:
    demand = stepwise(steps, host)
    asked = ask(PlacementWishes(strategy=strategy), exclusive=exclusive)  # type: ignore[arg-type]

    def fits(chosen: tuple[DeviceSpace, ...], needed: Demand) -> bool:
        alone = [one.exclusively_claimed or ((exclusive or not one.device.shared) and one.claims > 0) for one in chosen]
        room = all(one.claimed + one.foreign + needed.bytes <= one.device.allocatable for one in chosen)
        return room and not any(alone) and needed.host_bytes <= hosts[chosen[0].node_id]

    def cells(order: list[DeviceSpace]) -> list[Cell]:
        rows = [
            row(*own, host=hosts[node]) for node in ("n", "m") if (own := [one for one in order if one.node_id == node])
        ]
        return [Cell(count, tuple(rows), demand) for count in counts]

    found = choose(asked, cells(spaces))
    if found is not None:
        assert fits(found.spaces, found.demand)
        assert len(found.spaces) == found.cell.count
    else:
        for count in counts:
            for chosen in combinations(spaces, count):
                if len({one.node_id for one in chosen}) == 1:
                    # Any budget at all: nothing between two steps can matter.
                    assert not any(fits(chosen, demand(budget)) for budget in (*steps, None))
    shuffled = list(spaces)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    again = choose(asked, cells(shuffled))
    assert (again.assignment if again else None) == (found.assignment if found else None)
