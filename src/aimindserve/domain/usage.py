"""What a request used, and how usage adds up. Plain dataclasses, as the gateway makes them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One finished inference request, identified by ``request_id`` (counted once however often it is sent).

    ``started_at`` Unix seconds; ``duration_ms`` to the last byte; ``ttft_ms`` to the first token, None when there was
    none. ``counted_by`` is ``engine`` when the engine told its usage, ``gateway`` when chunks were counted (a stream
    that broke off), ``none`` when nothing was generated.
    """

    request_id: str
    started_at: float
    endpoint: str
    model: str
    deployment_id: str
    replica_id: str
    user_id: str
    key_id: str | None
    status: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    duration_ms: float = 0.0
    ttft_ms: float | None = None
    counted_by: str = "none"


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """A sum over records."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "UsageTotal") -> "UsageTotal":
        return UsageTotal(
            self.requests + other.requests,
            self.failed + other.failed,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


def total(records: Iterable[UsageRecord]) -> UsageTotal:
    """Sum of ``records``, each request id counted once (the first one seen)."""
    seen: set[str] = set()
    result = UsageTotal()
    for record in records:
        if record.request_id in seen:
            continue
        seen.add(record.request_id)
        failed = 1 if record.status >= 400 else 0
        result += UsageTotal(1, failed, record.prompt_tokens, record.completion_tokens)
    return result


def tokens_per_second(record: UsageRecord) -> float | None:
    """Generation speed in tokens per second, from the first token to the last; None when it cannot be told."""
    if record.ttft_ms is None or record.completion_tokens < 2:
        return None
    span = record.duration_ms - record.ttft_ms
    return (record.completion_tokens - 1) / span * 1000 if span > 0 else None
