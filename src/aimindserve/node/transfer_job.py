"""What the agent tells the downloading process, and what that answers: JSON, one line each way."""

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import Reason


class TransferJob(BaseModel):
    """One model to fetch, on the standard input (``token`` is secret). ``root``: the store; ``caches``: Hugging Face
    cache folders; ``folder``: where the files are brought from; ``offline``: nothing is asked of a hub;
    ``rate_limit`` in bytes per second; times in seconds."""

    model_config = ConfigDict(frozen=True)

    root: str
    source: str
    facts: ModelFacts
    endpoint: str
    token: str | None = Field(default=None, repr=False)
    proxy: str | None = Field(default=None, repr=False)
    rate_limit: int | None = None
    caches: tuple[str, ...] = ()
    folder: str | None = None
    offline: bool = False
    stall_timeout: float = 30.0
    backoff_first: float = 1.0
    fruitless_tries: int = 8


class TransferNews(BaseModel):
    """``done``: bytes of the model on disk. At the end: ``finished`` or the ``reason`` why not; ``retry_after``:
    seconds that the hub asked to wait."""

    model_config = ConfigDict(frozen=True)

    done: int = 0
    finished: bool = False
    reason: Reason | None = None
    retry_after: float | None = None
