"""What requests used, and how it adds up."""

from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.usage import UsageRecord, UsageTotal, tokens_per_second, total


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


def test_a_sum() -> None:
    records = [record("a", prompt_tokens=3, completion_tokens=4), record("b", status=502), record("a", prompt_tokens=9)]
    assert total(records) == UsageTotal(requests=2, failed=1, prompt_tokens=3, completion_tokens=4)
    assert total([]) == UsageTotal()


@given(records=RECORDS)
def test_sending_again_changes_nothing(records: list[UsageRecord]) -> None:
    assert total(records + records) == total(records)
    assert total(records).requests == len({one.request_id for one in records})


@given(parts=st.lists(RECORDS, max_size=4))
def test_sums_of_separate_requests_add_up(parts: list[list[UsageRecord]]) -> None:
    apart = [
        record(f"{index}-{position}", status=one.status, prompt_tokens=one.prompt_tokens)
        for index, part in enumerate(parts)
        for position, one in enumerate(part)
    ]
    added = UsageTotal()
    for one in apart:
        added += total([one])
    assert added == total(apart)


def test_speed_is_told_from_the_first_token_to_the_last() -> None:
    assert tokens_per_second(record(completion_tokens=11, ttft_ms=500.0, duration_ms=1500.0)) == 10.0
    assert tokens_per_second(record(completion_tokens=1, ttft_ms=5.0, duration_ms=9.0)) is None
    assert tokens_per_second(record(completion_tokens=9, duration_ms=9.0)) is None
    assert tokens_per_second(record(completion_tokens=9, ttft_ms=9.0, duration_ms=9.0)) is None
