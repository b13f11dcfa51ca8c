"""A start that ran out of memory: once more with less, but never with less of what somebody typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.build import deployment, replica

from aimindserve.domain.explanations import Why, explained
from aimindserve.domain.lessons import HIGHEST_FAILED, NOTHING, RAISE, Lessons
from aimindserve.domain.params import EngineParameter, Origin
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.relief import Failure, Relief, Smaller, decide_relief, failed_item, offered, told
from aimindserve.domain.replicas import ReplicaState, decide_replicas, own_lessons
from aimindserve.domain.specs import DeploymentSpec, EngineName

PARTS = ("weights", "kv_cache", "compute", "profile", "vision_compute", "cuda_graphs", "unknown")
FLAGS: dict[EngineName, tuple[str, str]] = {
    "llama.cpp": ("--ctx-size", "--parallel"),
    "vllm": ("--max-model-len", "--max-num-seqs"),
}


def given_values(
    engine: EngineName, context: int, sequences: int, typed: frozenset[str]
) -> tuple[EngineParameter, ...]:
    values = zip(FLAGS[engine], (context, sequences), strict=True)
    return tuple(
        EngineParameter(
            flag=flag,
            value=str(value),
            origin=Origin.YOURS if flag in typed else Origin.DERIVED,
            why=explained(Why.YOURS),
        )
        for flag, value in values
    )


def failure(
    item: str, engine: EngineName = "vllm", context: int = 16384, sequences: int = 64, *typed: str, **more: object
) -> Failure:
    parameters = given_values(engine, context, sequences, frozenset(typed))
    return Failure(1, item, engine, parameters, **more)  # type: ignore[arg-type]


def decided(what: Failure, earlier: Relief | None = None) -> Relief:
    found = decide_relief(what, earlier)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("what", "change"),
    [
        (failure("kv_cache"), Smaller(flag="--max-model-len", before=16384, after=8192)),
        (failure("kv_cache", longest=5000), Smaller(flag="--max-model-len", before=16384, after=4864)),
        (failure("profile"), Smaller(flag="--max-num-seqs", before=64, after=32)),
        (
            failure("profile", "vllm", 16384, 64, "--max-num-seqs"),
            Smaller(flag="--max-model-len", before=16384, after=8192),
        ),
        (failure("kv_cache", "llama.cpp", 16384, 2), Smaller(flag="--parallel", before=2, after=1)),
        (failure("kv_cache", "llama.cpp", 8192, 1), Smaller(flag="--ctx-size", before=8192, after=4096)),
        (failure("unknown", "llama.cpp", 8192, 4), Smaller(flag="--parallel", before=4, after=2)),
    ],
)
def test_what_becomes_smaller(what: Failure, change: Smaller) -> None:
    relief = decided(what)
    assert (relief.outcome, relief.changes) == ("retried", (change,))
    assert relief.lessons.retry == 1


def test_the_context_of_llama_cpp_is_kept_for_one_request() -> None:
    what = failure("kv_cache", "llama.cpp", 16384, 4, "--parallel")
    relief = decided(what)
    assert relief.changes == (Smaller(flag="--ctx-size", before=16384, after=8192),)
    assert relief.lessons.context == 2048


@given(
    st.sampled_from(PARTS),
    st.sampled_from(sorted(FLAGS)),
    st.integers(256, 1 << 20),
    st.integers(1, 1024),
    st.sets(st.integers(0, 1)),
)
def test_what_somebody_typed_stays(
    item: str, engine: EngineName, context: int, sequences: int, typed: set[int]
) -> None:
    flags = frozenset(FLAGS[engine][at] for at in typed)
    relief = decided(failure(item, engine, context, sequences, *flags))
    if relief.outcome == "retried":
        assert all(change.flag not in flags for change in relief.changes)
        assert all(change.after < change.before for change in relief.changes)
        assert relief.changes or item == "weights"
    else:
        assert relief.lessons.retry == 0
        assert (relief.lessons.context, relief.lessons.sequences) == (None, None)


def test_weights_are_placed_anew_with_more_booked() -> None:
    relief = decided(failure("weights", whole=True))
    assert (relief.outcome, relief.changes) == ("retried", ())
    assert [(one.item, one.factor, one.origin) for one in relief.lessons.corrections] == [("weights", RAISE, "failed")]
    assert relief.lessons.whole, "it goes to no CPU in silence"


def test_a_refusal_offers_the_change() -> None:
    relief = decided(failure("kv_cache", "vllm", 16384, 64, "--max-model-len"))
    assert relief.outcome == "refused"
    spec = DeploymentSpec(name="m", source="file:///m", parameters=("--seed=1", "--max-model-len", "16384"))
    assert offered(relief, spec, "vllm") == ("--seed=1", "--max-model-len=8192")
    assert told(relief).code is ReasonCode.MEMORY_NOT_RETRIED
    smallest = decided(failure("kv_cache", "llama.cpp", 1024, 1))
    assert (smallest.outcome, told(smallest).code) == ("refused", ReasonCode.MEMORY_NO_RETRY)
    assert offered(smallest, spec, "llama.cpp") is None


def test_once_and_no_more() -> None:
    first = decided(failure("kv_cache"))
    assert decide_relief(failure("kv_cache"), first) is None, "a second replica of the same time waits for the retry"
    second = decided(failure("profile", lessons=first.lessons), first)
    assert (second.outcome, second.item, second.lessons) == ("spent", "profile", first.lessons)
    assert decide_relief(failure("profile", lessons=first.lessons), second) is None
    refused = decided(failure("kv_cache", "vllm", 16384, 64, "--max-model-len"))
    assert decide_relief(failure("kv_cache"), refused) is None


def test_a_new_generation_may_try_again_and_remembers() -> None:
    first = decided(failure("kv_cache"))
    again = Failure(2, "kv_cache", "vllm", given_values("vllm", 8192, 64, frozenset()))
    relief = decided(again, first)
    assert (relief.outcome, relief.generation) == ("retried", 2)
    assert relief.lessons.corrections[0].factor == pytest.approx(RAISE * RAISE)
    third = decided(Failure(3, "kv_cache", "vllm", given_values("vllm", 8192, 64, frozenset())), relief)
    fourth = decided(Failure(4, "kv_cache", "vllm", given_values("vllm", 8192, 64, frozenset())), third)
    assert fourth.lessons.corrections[0].factor == HIGHEST_FAILED


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("item", PARTS)
def test_every_outcome_has_words(item: str, language: str) -> None:
    outcomes = [
        decided(failure(item)),
        decided(failure(item, "llama.cpp", 16384, 2, "--ctx-size", "--parallel")),
        decided(failure(item, lessons=Lessons(retry=1)), decided(failure(item))),
        decided(failure(item, "llama.cpp", 1024, 1)),
    ]
    for relief in outcomes:
        words = " ".join(explain(told(relief), "zh" if language == "zh" else "en"))
        assert "?" not in words
        assert "{" not in words


# The replica that failed makes room


SHORT = reason(ReasonCode.START_MEMORY_SHORT, part="kv_cache")


def test_which_failures_count() -> None:
    assert failed_item(SHORT) == "kv_cache"
    assert failed_item(reason(ReasonCode.ENGINE_CACHE_TOO_SMALL, longest="100", detail="d")) == "kv_cache"
    assert failed_item(reason(ReasonCode.ENGINE_OUT_OF_MEMORY)) is None
    assert failed_item(None) is None


def test_a_replica_that_failed_before_the_lesson_is_replaced_and_others_stay() -> None:
    relief = decided(failure("kv_cache"))
    bad = replica("a", state=ReplicaState.FAILED, seen={"reason": SHORT})
    good = replica("b", index=1, state=ReplicaState.READY)
    waiting = deployment(replicas=2)
    assert not decide_replicas(waiting, [bad, good]), "nothing is decided yet"
    plan = decide_replicas(waiting.model_copy(update={"relief": relief}), [bad, good])
    assert (plan.create, plan.stop, plan.remove) == ((0,), ("a",), ())
    assert bad.assignment is not None
    heeded = bad.assignment.model_copy(update={"lessons": relief.lessons})
    retried = bad.model_copy(update={"assignment": heeded})
    assert not decide_replicas(waiting.model_copy(update={"relief": relief}), [retried, good]), "that was the one retry"


def test_a_later_generation_keeps_the_lesson_and_may_go_anywhere() -> None:
    relief = decided(failure("kv_cache", whole=True))
    now = deployment().model_copy(update={"relief": relief})
    assert own_lessons(now) == relief.lessons
    later = own_lessons(now.model_copy(update={"generation": 2}))
    assert (later.whole, later.retry, later.context) == (False, 0, relief.lessons.context)
    assert own_lessons(deployment()) == NOTHING
