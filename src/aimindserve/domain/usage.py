"""What a request used, and how usage adds up. Plain dataclasses, as the gateway makes them."""

from collections.abc import Iterable
from dataclasses import dataclass

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One finished inference request, identified by ``request_id`` (counted once however often it is sent).

    ``started_at`` Unix seconds; ``duration_ms`` to the last byte; ``ttft_ms`` to the first token, None when there was
    none. ``cached_tokens`` and ``image_tokens`` are parts of ``prompt_tokens``, as far as the engine tells them;
    ``images``: pictures in the request. ``counted_by`` is ``engine`` when the engine told its usage, ``gateway`` when
    chunks were counted (a stream that broke off), ``none`` when nothing was generated.
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
    cached_tokens: int = 0
    image_tokens: int = 0
    images: int = 0


@dataclass(frozen=True, slots=True)
class UsageSum:
    """A sum over the records of one ``day`` (since 1970, UTC) with the same model, key ("": none) and person."""

    day: int
    model: str
    key_id: str
    user_id: str
    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    image_tokens: int = 0
    images: int = 0


def sums_by_day(records: Iterable[UsageRecord]) -> tuple[UsageSum, ...]:
    """Sums of ``records``, in a fixed order. A request counts for the day on which it began."""
    sums: dict[tuple[int, str, str, str], list[int]] = {}
    for record in records:
        key = (int(record.started_at // DAY_SECONDS), record.model, record.key_id or "", record.user_id)
        values = (
            1,
            1 if record.status >= 400 else 0,
            record.prompt_tokens,
            record.completion_tokens,
            record.cached_tokens,
            record.image_tokens,
            record.images,
        )
        known = sums.get(key, [0] * len(values))
        sums[key] = [one + other for one, other in zip(known, values, strict=True)]
    return tuple(UsageSum(*key, *values) for key, values in sorted(sums.items()))


def tokens_per_second(record: UsageRecord) -> float | None:
    """Generation speed in tokens per second, from the first token to the last; None when it cannot be told."""
    if record.ttft_ms is None or record.completion_tokens < 2:
        return None
    span = record.duration_ms - record.ttft_ms
    return (record.completion_tokens - 1) / span * 1000 if span > 0 else None
