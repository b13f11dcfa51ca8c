"""Where replicas go, and why they do not."""

from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import space

from aimindserve.domain.nodes import DeviceKind
from aimindserve.domain.placement import DeviceSpace, Need, place
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.replicas import Assignment
from aimindserve.domain.specs import PlacementWishes

GIB = 1024**3
GPU, CPU = DeviceKind.NVIDIA, DeviceKind.CPU
ANYWHERE = PlacementWishes()


def need(size: int, *kinds: DeviceKind, exclusive: bool = False) -> Need:
    return Need(engine="llama.cpp", bytes=size, kinds=kinds or (GPU, CPU), exclusive=exclusive)


def where(found: Assignment | Reason) -> tuple[str, str]:
    assert isinstance(found, Assignment), found
    (claim,) = found.claims
    return found.node_id, claim.device_id


def refusal(found: Assignment | Reason) -> Reason:
    assert isinstance(found, Reason), found
    return found


def test_the_best_kind_then_the_most_room_then_the_first_by_name() -> None:
    cpu, small = space("cpu", size=900), space("gpu0", kind=GPU, size=100, claimed=20, claims=1)
    large, twin = space("gpu1", kind=GPU, size=100), space("gpu2", kind=GPU, size=100)
    assert where(place(need(50), [cpu, small, twin, large], ANYWHERE)) == ("n", "gpu1")
    assert where(place(need(50, CPU, GPU), [cpu, small, large], ANYWHERE)) == ("n", "cpu")
    assert where(place(need(500), [cpu, small, large], ANYWHERE)) == ("n", "cpu")
    other = space("gpu1", node="m", kind=GPU, size=100)
    assert where(place(need(50), [large, other], ANYWHERE)) == ("m", "gpu1")


def test_a_claim_says_what_it_holds() -> None:
    found = place(need(30, exclusive=True), [space()], ANYWHERE)
    assert isinstance(found, Assignment)
    (claim,) = found.claims
    assert (claim.device_id, claim.bytes, claim.exclusive) == ("cpu", 30, True)
    assert found.engine == "llama.cpp"


def test_wishes() -> None:
    spaces = [space("gpu0", node="a", kind=GPU), space("gpu0", node="b", kind=GPU), space("cpu", node="b")]
    assert where(place(need(1), spaces, PlacementWishes(nodes=("b",)))) == ("b", "gpu0")
    assert where(place(need(1), spaces, PlacementWishes(nodes=("b",), devices=("cpu",)))) == ("b", "cpu")
    refused = refusal(place(need(1), spaces, PlacementWishes(nodes=("c",), devices=("x",))))
    assert (refused.code, refused.params) == (ReasonCode.NODE_UNKNOWN, {"wish": "c, x"})


def test_why_not() -> None:
    assert refusal(place(need(1), [], ANYWHERE)).code is ReasonCode.NO_NODE
    no_gpu = refusal(place(need(1, GPU), [space()], ANYWHERE))
    assert (no_gpu.code, no_gpu.params) == (ReasonCode.NO_USABLE_DEVICE, {"engine": "llama.cpp"})
    small = refusal(place(need(3 * GIB), [space(size=2 * GIB), space("x", size=GIB)], ANYWHERE))
    assert small.code is ReasonCode.MEMORY_INSUFFICIENT
    assert small.params == {"needed": "3.0 GiB", "largest": "2.0 GiB"}
    busy = [space("a", size=4 * GIB, claimed=3 * GIB, claims=1), space("b", size=2 * GIB)]
    claimed = refusal(place(need(3 * GIB), busy, ANYWHERE))
    assert claimed.code is ReasonCode.MEMORY_CLAIMED
    assert claimed.params == {"needed": "3.0 GiB", "free": "1.0 GiB", "largest": "4.0 GiB"}


def test_who_wants_a_device_alone_waits_for_it_to_be_empty() -> None:
    taken = space(size=GIB, claimed=1, claims=1)
    refused = refusal(place(need(1, exclusive=True), [taken], ANYWHERE))
    assert refused.code is ReasonCode.MEMORY_CLAIMED
    assert refused.params["free"] == "0 B"
    assert where(place(need(1), [taken], ANYWHERE)) == ("n", "cpu")


def test_nobody_joins_who_wants_to_be_alone_however_little_is_asked() -> None:
    for alone in (
        space(claimed=1, claims=1, exclusively_claimed=True),
        space(claimed=1, claims=1, shared=False),
    ):
        assert refusal(place(need(0), [alone], ANYWHERE)).code is ReasonCode.MEMORY_CLAIMED


SPACES = st.lists(
    st.builds(
        space,
        identity=st.sampled_from(["a", "b", "c"]),
        node=st.sampled_from(["n", "m"]),
        kind=st.sampled_from([GPU, CPU]),
        size=st.integers(0, 100),
        shared=st.booleans(),
        claimed=st.integers(0, 120),
        claims=st.integers(0, 3),
        exclusively_claimed=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: (one.node_id, one.device.id),
)


@given(spaces=SPACES, size=st.integers(1, 120), exclusive=st.booleans(), seed=st.randoms())
def test_a_place_always_fits_and_is_found_when_there_is_one(
    spaces: list[DeviceSpace], size: int, exclusive: bool, seed: object
) -> None:
    asked = need(size, exclusive=exclusive)

    def fits(one: DeviceSpace) -> bool:
        alone = exclusive or not one.device.shared
        return (
            not one.exclusively_claimed
            and one.claimed + size <= one.device.allocatable
            and not (alone and one.claims > 0)
        )

    found = place(asked, spaces, ANYWHERE)
    if isinstance(found, Assignment):
        (chosen,) = [one for one in spaces if (one.node_id, one.device.id) == where(found)]
        assert fits(chosen)
    else:
        assert not any(fits(one) for one in spaces)
    shuffled = list(spaces)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    assert place(asked, shuffled, ANYWHERE) == found or isinstance(found, Reason)
