"""The node's downloads: which models are fetched now, how far they are, and who waits for them."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.files import (
    HubAccess,
    ModelState,
    StoredModel,
    TransferProgress,
    WantedModel,
    model_key,
    source_text,
    unsafe_name,
)
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.units import format_bytes
from aimindserve.node.changes import Changes
from aimindserve.node.config import NodeConfig
from aimindserve.node.endings import Next, backoff_seconds, what_next
from aimindserve.node.fetching import fetch
from aimindserve.node.loop import keep_going
from aimindserve.node.store import Manifest, Store
from aimindserve.node.transfer_job import TransferJob, TransferNews

_log = logging.getLogger("aimindserve.node")
_AT_ONCE = 2
_RATE_SECONDS = 5.0
_LOOK_SECONDS = 5.0
_LONGEST_BACKOFF = 300.0
# Left on the disk for everything else: ledgers, logs, the database.
_MARGIN = 64 * 1024 * 1024
_DEFAULT_ENDPOINTS = {"hf": "https://huggingface.co", "ms": "https://modelscope.cn"}


@dataclass
class _Model:
    """One model on its way. ``waiting``: replicas that need it; ``ended`` is set whenever a try ends."""

    facts: ModelFacts
    source: str
    order: WantedModel | None = None
    waiting: int = 0
    state: ModelState = ModelState.QUEUED
    done: int = 0
    why: Reason | None = None
    failures: int = 0
    retry_at: float | None = None
    samples: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def total(self) -> int:
        return sum(file.size for file in self.facts.files)

    def is_ready(self) -> bool:
        """Whether every file is there and was verified."""
        return self.state is ModelState.READY

    def progress(self) -> TransferProgress:
        """How far it is; the rate over the last few seconds."""
        rate = eta = None
        if self.state is ModelState.DOWNLOADING and len(self.samples) > 1:
            (then, before), (now, after) = self.samples[0], self.samples[-1]
            rate = max(0.0, (after - before) / (now - then)) if now > then else None
            eta = (self.total - self.done) / rate if rate else None
        return TransferProgress(done=self.done, total=self.total, rate=rate, eta=eta)


class Downloads:
    """Has models fetched into the store. ``run`` must be running; everything is called on its event loop."""

    def __init__(self, config: NodeConfig, changes: Changes, now: Callable[[], float]) -> None:
        self.store = Store(config.models)
        self._config = config
        self._changes = changes
        self._now = now
        self._models: dict[str, _Model] = {}
        self._stored: dict[str, tuple[Manifest, bool, int]] = {}
        self._forget: dict[str, ModelFacts | None] = {}
        self._hub = HubAccess()
        self._wake = asyncio.Event()
        self._told: tuple[StoredModel, ...] = ()

    async def run(self) -> None:
        """Work until cancelled. What is under way stays where it is and goes on at the next start."""
        await asyncio.to_thread(self.store.prepare)
        await keep_going("downloads", self._work)

    def order(self, models: Sequence[WantedModel], forget: Sequence[str], hub: HubAccess) -> None:
        """What the server wants now. An order that is gone stops its download; files stay until they are forgotten."""
        self._hub = hub
        wanted = {model.key: model for model in models if model.facts.origin is not None}
        for key, model in wanted.items():
            known = self._models.setdefault(key, _Model(model.facts, model.source))
            if known.order is not None and known.order.attempt != model.attempt:
                known.why, known.failures, known.retry_at = None, 0, None
                if known.state is ModelState.FAILED:
                    known.state = ModelState.QUEUED
            known.order = model
        for key, known in self._models.items():
            if key not in wanted:
                known.order = None
        for key in forget:
            known_model = self._models.get(key)
            if known_model is None or not known_model.waiting:
                self._forget[key] = known_model.facts if known_model else None
        self._wake.set()

    async def ensure(self, facts: ModelFacts) -> Reason | None:
        """Wait until every file of ``facts`` is there and verified. None when it is, else why not this time."""
        unsafe = unsafe_name(facts)
        if unsafe is not None:
            return reason(ReasonCode.FILE_NAME_UNSAFE, file=unsafe)
        if facts.origin is None or await asyncio.to_thread(self.store.is_ready, facts):
            return None
        key = model_key(facts)
        model = self._models.setdefault(key, _Model(facts, source_text(facts.origin)))
        model.waiting += 1
        if model.state in (ModelState.FAILED, ModelState.READY) or model.retry_at is not None:
            model.state, model.retry_at, model.why = ModelState.QUEUED, None, None
        try:
            while True:
                model.ended.clear()
                self._wake.set()
                await model.ended.wait()
                if model.is_ready():
                    return None
                if model.why is not None:
                    return model.why
        finally:
            model.waiting -= 1
            self._wake.set()

    def progress(self, facts: ModelFacts) -> TransferProgress | None:
        """How far the download of ``facts`` is; None when there is none."""
        model = self._models.get(model_key(facts)) if facts.origin is not None else None
        return model.progress() if model else None

    def observe(self) -> tuple[StoredModel, ...]:
        """Every model that is in the store or on its way."""
        found = {key: self._seen(key, model) for key, model in self._models.items()}
        for key, (manifest, whole, freed) in self._stored.items():
            if key not in found or (whole and found[key].state is ModelState.READY):
                found[key] = self._seen_stored(key, manifest, whole=whole, freed=freed)
        return tuple(found[key] for key in sorted(found))

    def _seen(self, key: str, model: _Model) -> StoredModel:
        return StoredModel(
            key=key,
            source=model.source,
            facts=model.facts,
            state=model.state,
            progress=model.progress(),
            stored_bytes=model.done,
            retry_at=model.retry_at,
            reason=model.why,
        )

    def _seen_stored(self, key: str, manifest: Manifest, *, whole: bool, freed: int) -> StoredModel:
        facts, size = manifest.facts, sum(file.size for file in manifest.facts.files)
        return StoredModel(
            key=key,
            source=manifest.source,
            facts=facts,
            state=ModelState.READY if whole else ModelState.FAILED,
            progress=TransferProgress(done=size if whole else freed, total=size),
            path=str(self.store.folder(facts.origin)) if facts.origin else None,
            stored_bytes=freed,
            reason=None if whole else reason(ReasonCode.FILE_CHANGED, path=manifest.source),
        )

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_store())
            while True:
                self._wake.clear()
                await self._carry_out_forget()
                self._stop_unwanted()
                self._start_next(group)
                self._tell()
                await self._sleep()

    def _tell(self) -> None:
        """Only what differs is a change: the server orders again after each, and neither would ever rest."""
        seen = self.observe()
        if seen != self._told:
            self._told = seen
            self._changes.note()

    async def _sleep(self) -> None:
        """Until something changes, or until the next retry is due."""
        due = [model.retry_at for model in self._models.values() if model.retry_at is not None]
        pause = max(0.05, min(due) - self._now()) if due else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()

    async def _follow_store(self) -> None:
        """Look at what is stored; somebody may import or delete files by hand."""
        while True:
            await self._look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> None:
        found = await asyncio.to_thread(self._read_store)
        if found != self._stored:
            self._stored = found
            self._requeue_damaged()
            self._changes.note()

    def _requeue_damaged(self) -> None:
        """Fetch again what is wanted and was taken away by somebody else."""
        for key, model in self._models.items():
            whole = self._stored[key][1] if key in self._stored else False
            if model.state is ModelState.READY and not whole:
                model.state = ModelState.QUEUED
                self._wake.set()

    def _read_store(self) -> dict[str, tuple[Manifest, bool, int]]:
        every = self.store.all()
        return {key: (one, self.store.is_ready(one.facts), self.store.freed_by(key)) for key, one in every.items()}

    async def _carry_out_forget(self) -> None:
        for key in list(self._forget):
            model = self._models.get(key)
            if model is not None and model.task is not None:
                model.task.cancel()
                await asyncio.wait([model.task])
            facts = self._forget.pop(key)
            try:
                await asyncio.to_thread(self.store.forget, key, facts)
            except OSError as error:
                _log.warning("model %s cannot be deleted: %s", key, error)
                continue
            if model is not None and not model.waiting:
                self._models.pop(key, None)
            await self._look()

    def _stop_unwanted(self) -> None:
        for key, model in list(self._models.items()):
            paused = model.order is not None and model.order.paused and not model.waiting
            if model.waiting or (model.order is not None and not paused):
                if model.state is ModelState.PAUSED:
                    model.state, model.why = ModelState.QUEUED, None
                continue
            if model.task is not None:
                if not model.task.cancelling():
                    model.task.cancel()
            elif paused and model.state is not ModelState.READY:
                model.state, model.why, model.retry_at = ModelState.PAUSED, reason(ReasonCode.DOWNLOAD_PAUSED), None
            elif model.order is None:
                del self._models[key]

    def _start_next(self, group: asyncio.TaskGroup) -> None:
        running = sum(model.task is not None for model in self._models.values())
        slots = (1 if self._hub.rate_limit else _AT_ONCE) - running
        due = [model for model in self._models.values() if self._is_due(model)]
        for model in due[: max(0, slots)]:
            model.task = group.create_task(self._fetch(model))

    def _is_due(self, model: _Model) -> bool:
        wanted = bool(model.waiting) or (model.order is not None and not model.order.paused)
        waits = model.retry_at is not None and model.retry_at > self._now()
        return wanted and model.task is None and not waits and model.state is ModelState.QUEUED

    async def _fetch(self, model: _Model) -> None:
        """One try."""
        try:
            await self._try(model)
        finally:
            model.task = None
            if model.state is ModelState.DOWNLOADING:
                model.state = ModelState.QUEUED
            model.ended.set()
            self._wake.set()

    async def _try(self, model: _Model) -> None:
        model.done = await asyncio.to_thread(self.store.there, model.facts)
        model.samples.clear()
        model.retry_at = None
        refused = await self._refused(model)
        if refused is not None:
            self._end(model, TransferNews(done=model.done, reason=refused))
            return
        model.state, model.why = ModelState.DOWNLOADING, None
        self._changes.note()
        job = self._job(model)
        try:
            async with contextlib.aclosing(fetch(job)) as told:
                async for news in told:
                    if news.finished or news.reason is not None:
                        await self._look()
                        self._end(model, news)
                        break
                    self._learn(model, news)
        except OSError as error:
            detail = error.strerror or str(error)
            why = reason(ReasonCode.DOWNLOAD_INTERRUPTED, file=model.facts.name, detail=detail)
            self._end(model, TransferNews(done=model.done, reason=why))

    def _job(self, model: _Model) -> TransferJob:
        origin = model.facts.origin
        hub = origin.hub if origin else "hf"
        return TransferJob(
            root=str(self.store.root),
            source=model.source,
            facts=model.facts,
            endpoint=self._hub.endpoints.get(hub) or _DEFAULT_ENDPOINTS[hub],
            token=self._hub.tokens.get(hub),
            proxy=self._hub.proxy,
            rate_limit=self._hub.rate_limit,
            caches=self._hub.caches,
            folder=model.order.folder if model.order else None,
            offline=self._hub.offline,
            stall_timeout=self._config.stall_timeout,
            backoff_first=min(1.0, self._config.backoff_first),
        )

    def _learn(self, model: _Model, news: TransferNews) -> None:
        now = self._now()
        model.samples.append((now, news.done))
        while len(model.samples) > 2 and now - model.samples[0][0] > _RATE_SECONDS:
            model.samples.popleft()
        if model.done != news.done:
            model.done = news.done
            self._changes.note()

    async def _refused(self, model: _Model) -> Reason | None:
        """Why there is no use in starting: unsafe names, no network allowed, no room on the disk."""
        unsafe = unsafe_name(model.facts)
        if unsafe is not None:
            return reason(ReasonCode.FILE_NAME_UNSAFE, file=unsafe)
        missing = await asyncio.to_thread(self.store.missing, model.facts)
        brought = model.order is not None and model.order.folder is not None
        if missing and self._hub.offline and not brought:
            return reason(ReasonCode.DOWNLOAD_OFFLINE, file=missing[0].path)
        others = sum(max(0, one.total - one.done) for one in self._models.values() if one.task and one is not model)
        needed, free = model.total - model.done, await asyncio.to_thread(self.store.disk_free)
        if free is not None and needed > 0 and needed > free - others - _MARGIN:
            return reason(
                ReasonCode.DOWNLOAD_NO_SPACE,
                path=str(self.store.root),
                needed=format_bytes(needed + _MARGIN),
                free=format_bytes(max(0, free - others)),
            )
        return None

    def _end(self, model: _Model, news: TransferNews) -> None:
        model.done = news.done
        if news.reason is None:
            model.state, model.why, model.failures = ModelState.READY, None, 0
            return
        model.why, model.failures = news.reason, model.failures + 1
        _log.warning("model %s: %s %s", model.source, news.reason.code, news.reason.params)
        if what_next(news.reason, was_ready=False) is Next.NEVER:
            model.state, model.retry_at = ModelState.FAILED, None
            return
        pause = backoff_seconds(model.failures, self._config.backoff_first, _LONGEST_BACKOFF)
        model.state = ModelState.QUEUED
        model.retry_at = self._now() + max(pause, news.retry_after or 0.0)
