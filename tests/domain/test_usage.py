"""What requests used, and how it adds up."""

from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.usage import UsageRecord, UsageSum, sums_by_day, tokens_per_second


def record(request_id: str = "r", **values: object) -> UsageRecord:
    fixed = {"started_at": 0.0, "endpoint": "/v1/chat/completions", "model": "m", "deployment_id": "d"}
    fixed |= {"replica_id": "x", "user_id": "u", "key_id": None, "status": 200}
    return UsageRecord(request_id=request_id, **(fixed | values))  # type: ignore[arg-type]


RECORDS = st.lists(
    st.builds(
        lambda name, status, prompt, completion: record(
            name, status=status, prompt_tokens=prompt, completion_tokens=completion
        ),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([200, 400, 502]),
        st.integers(0, 99),
        st.integers(0, 99),
    )
)


def test_sums_are_by_day_model_key_and_person() -> None:
    records = [
        record("a", prompt_tokens=3, completion_tokens=4, cached_tokens=1, image_tokens=2, images=1),
        record("b", status=502, prompt_tokens=1),
        record("c", started_at=86_400.0),
        record("d", key_id="k"),
        record("e", model="n"),
    ]
    assert sums_by_day(records) == (
        UsageSum(0, "m", "", "u", 2, 1, 4, 4, 1, 2, 1),
        UsageSum(0, "m", "k", "u", 1),
        UsageSum(0, "n", "", "u", 1),
        UsageSum(1, "m", "", "u", 1),
    )
    assert sums_by_day([]) == ()


@given(records=RECORDS)
def test_nothing_is_lost_in_sums(records: list[UsageRecord]) -> None:
    sums = sums_by_day(records)
    assert sum(one.requests for one in sums) == len(records)
    assert sum(one.failed for one in sums) == sum(one.status >= 400 for one in records)
    assert sum(one.prompt_tokens for one in sums) == sum(one.prompt_tokens for one in records)
    assert sum(one.completion_tokens for one in sums) == sum(one.completion_tokens for one in records)


def test_speed_is_told_from_the_first_token_to_the_last() -> None:
    assert tokens_per_second(record(completion_tokens=11, ttft_ms=500.0, duration_ms=1500.0)) == 10.0
    assert tokens_per_second(record(completion_tokens=1, ttft_ms=5.0, duration_ms=9.0)) is None
    assert tokens_per_second(record(completion_tokens=9, duration_ms=9.0)) is None
    assert tokens_per_second(record(completion_tokens=9, ttft_ms=9.0, duration_ms=9.0)) is None
