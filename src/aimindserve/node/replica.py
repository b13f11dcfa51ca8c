"""One replica: a loop that owns everything about it. Others read ``observation`` and may order the stop.

Life: find an engine that runs already (a ledger from before the agent's restart), else prepare and launch one; attend
to it until it ends, is ordered to stop, or does not answer; then back off and try again. Only a stop order ends it.
Cancelling the loop (the agent stops) leaves the engine running.
"""

import asyncio
import logging
from collections.abc import Sequence

from aimindserve.domain.files import TransferProgress
from aimindserve.domain.measured import Measurement
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import DesiredReplica, ReplicaObservation, ReplicaState
from aimindserve.domain.sight import Sight
from aimindserve.domain.startup import Doing, Mark
from aimindserve.engines._registry import ENGINES
from aimindserve.node.context import NodeContext
from aimindserve.node.endings import Ending, Next, backoff_seconds, what_next
from aimindserve.node.folder import Progress, ReplicaFolder
from aimindserve.node.launch import disk_reason
from aimindserve.node.ledger import LaunchPlan, living_engine
from aimindserve.node.locks import is_free, replica_lock
from aimindserve.node.loop import first_of, keep_going
from aimindserve.node.preparation import Refusal, launch_engine, prepare
from aimindserve.node.processes import ProcessId, wait_end
from aimindserve.node.starts import gpus_of
from aimindserve.node.stopping import clear_processes, stop_engine
from aimindserve.node.watch import Told, Watcher, ended_by_order, read_ending

# What follows a stage before the engine's own ones.
_NEXT = {
    "accepted": "files",
    "downloaded": "files",
    "files": "environment",
    "environment": "launched",
}
_log = logging.getLogger("aimindserve.node")
_LOCK_POLL_SECONDS = 0.05
# A shim writes its ledger within milliseconds; what holds the lock longer and is no engine is a left-over.
_LEFTOVER_SECONDS = 5.0
# After an engine that this agent saw ending, its shim has only to write down how.
_AFTERMATH_SECONDS = 0.5


class ReplicaActor:
    """The one writer of everything that is observed of a replica."""

    def __init__(self, folder: ReplicaFolder, desired: DesiredReplica | None, context: NodeContext) -> None:
        self.id = folder.replica_id
        self._folder = folder
        self._desired = desired
        self._context = context
        self._known = asyncio.Event()
        self._stop = asyncio.Event()
        self._progress = folder.progress()
        self._state = ReplicaState.PREPARING
        self._engine: ProcessId | None = None
        self._plan: LaunchPlan | None = None
        self._key = ""
        self._retry_at: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether the stop order was given."""
        return self._stop.is_set()

    @property
    def attempt_running(self) -> int | None:
        """The attempt whose engine lives, None when none does."""
        return self._progress.attempt if self._engine else None

    @property
    def observation(self) -> ReplicaObservation:
        """What is known of the replica now."""
        plan = self._plan if self._engine else None
        return ReplicaObservation(
            id=self.id,
            state=ReplicaState.STOPPING if self.stopping else self._state,
            reason=self._progress.reason,
            attempt=max(1, self._progress.attempt),
            restarts=self._progress.restarts,
            pid=self._engine.pid if self._engine else None,
            port=plan.port if plan else None,
            engine_key=self._key if plan and plan.wants_key else "",
            ready_since=self._progress.ready_since if self._state is ReplicaState.READY else None,
            retry_at=self._retry_at,
            download=self._download_progress(),
            timeline=self._progress.timeline,
            doing=self._progress.doing,
            sight=self._progress.sight,
            evidence=self._progress.evidence,
            measured=self._progress.measured,
        )

    def _download_progress(self) -> TransferProgress | None:
        if self._state is not ReplicaState.DOWNLOADING or self._desired is None or self.stopping:
            return None
        return self._context.downloads.progress(self._desired.facts)

    def know(self, desired: DesiredReplica) -> None:
        """Learn what the replica is, where its folder did not tell (its first file could not be written)."""
        self._desired = self._desired or desired
        self._known.set()

    def order_stop(self) -> None:
        """Stop for good. The loop ends when no process of the replica is left."""
        self._stop.set()
        self._context.changes.note()

    def adopt(self) -> None:
        """Take over an engine that runs already, by the ledger."""
        ledger = self._folder.ledger()
        engine = living_engine(ledger, self._context.boot_id) if ledger else None
        if engine is None or ledger is None:
            self._engine = None
            return
        self._engine, self._plan, self._key = engine, ledger.plan, self._folder.engine_key()
        was_ready = self._progress.attempt == ledger.plan.attempt and self._progress.ready_since is not None
        self._state = ReplicaState.READY if was_ready else ReplicaState.STARTING
        self._progress = self._progress.model_copy(update={"attempt": ledger.plan.attempt, "running": True})

    async def run(self) -> None:
        """Live until the stop order is carried out."""
        await keep_going(f"replica {self.id}", self._live, self._context.config.backoff_first)

    async def _live(self) -> None:
        self.adopt()
        if self._engine is None:
            await first_of(permit=self._context.permit.wait(), stop=self._stop.wait())
            await self._settle_past()
        while not self.stopping:
            ending = await self._attempt()
            if ending is not None:
                await self._after(ending)
        await self._finish()

    async def _settle_past(self) -> None:
        """Deal with what was begun before the agent's restart: wait for a launch under way, clear what is left over,
        and count an engine that ended meanwhile."""
        await self._until_lock_is_free(_LEFTOVER_SECONDS)
        if self._engine is None:
            self.adopt()
        ledger = self._folder.ledger()
        if self._engine is not None or not self._progress.running or ledger is None:
            return
        is_same = ledger.plan.attempt == self._progress.attempt
        if is_same and self._desired is not None and not ended_by_order(ledger, self._context.boot_id):
            await self._after(read_ending(ledger, self._folder, self._desired, self._progress, oom_kills=None))

    async def _until_lock_is_free(self, patience: float) -> None:
        """Return when no process of the replica is left, an engine was found, or a stop was ordered. After ``patience``
        seconds left-overs are killed: children of an engine whose shim was not there to end them."""
        lock, waited, pause = replica_lock(self._context.config.locks, self.id), 0.0, _LOCK_POLL_SECONDS
        while self._engine is None and not self.stopping and not await asyncio.to_thread(is_free, lock):
            self.adopt()
            if waited >= patience:
                # Looking through all processes costs; what does not end at once may take long.
                await clear_processes(self.id, lock)
                pause = min(1.0, pause * 2)
            await asyncio.sleep(pause)
            waited += pause

    async def _attempt(self) -> Ending | None:
        """Run one attempt to its end. None when a stop was ordered."""
        if self._progress.given_up:
            self._show(ReplicaState.FAILED)
            await self._stop.wait()
        if self._desired is None:
            await first_of(known=self._known.wait(), stop=self._stop.wait())
        if self.stopping or self._desired is None:
            return None
        try:
            return await self._try_ports(self._desired)
        finally:
            self._context.starts.release(self.id)

    async def _try_ports(self, desired: DesiredReplica) -> Ending | None:
        """Begin and attend, once more where the port was taken meanwhile."""
        ending: Ending | None = None
        for port_attempt in range(self._context.config.port_attempts):
            if self._engine is None:
                refusal = await self._begin(desired, is_new=port_attempt == 0)
                if refusal is not None:
                    return None if self.stopping else Ending(refusal)
            ending = await self._attend(desired)
            if ending is None or what_next(ending.reason, was_ready=False) is not Next.AT_ONCE:
                break
        return ending

    async def _begin(self, desired: DesiredReplica, *, is_new: bool) -> Reason | None:
        """Prepare and launch. None when an engine runs, else why there is none."""
        self._retry_at = None
        await self._until_lock_is_free(_AFTERMATH_SECONDS)
        if self.stopping or self._engine is not None:
            return reason(ReasonCode.STOP_REQUESTED) if self.stopping else None
        before = self._progress.attempt
        launched = await self._launch(desired, before + is_new)
        if isinstance(launched, Refusal):
            self._progress = self._progress.model_copy(update={"attempt": before})
            return launched.reason
        self._engine, self._plan = launched
        self._key = self._folder.engine_key()
        self._state = ReplicaState.STARTING
        self._stages(("launched",), ENGINES[launched[1].engine].steps.first)
        return None

    async def _launch(self, desired: DesiredReplica, attempt: int) -> tuple[ProcessId, LaunchPlan] | Refusal:
        """Check everything and start the process."""
        try:
            await asyncio.to_thread(self._folder.create, desired)
            self._state = ReplicaState.PREPARING
            self._remember(timeline=(), ready_since=None, sight=None)
            self._mark("accepted")
            located = await self._download(desired)
            if isinstance(located, Reason):
                return Refusal(located)
            prepared = await prepare(located, self._context, self._mark)
            if isinstance(prepared, Refusal):
                return prepared
            if not await self._turn(desired):
                return Refusal(reason(ReasonCode.STOP_REQUESTED))
            self._remember(attempt=attempt, running=True)
            return await launch_engine(prepared, self._folder, self._context, attempt)
        except OSError as error:
            _log.warning("replica %s cannot be launched: %s", self.id, error)
            detail = error.strerror or str(error)
            full = disk_reason(error, self._folder.path)
            return Refusal(full or reason(ReasonCode.ENGINE_LOAD_FAILED, detail=detail))

    async def _turn(self, desired: DesiredReplica) -> bool:
        """Whether it may start now: once nothing else is starting on its GPUs. False on a stop order."""
        starts, devices = self._context.starts, gpus_of(desired.claims)
        busy = starts.busy(self.id, devices)
        if busy is not None:
            self._show(ReplicaState.PREPARING, reason=reason(ReasonCode.DEVICE_STARTING, device=busy))
        await first_of(turn=starts.take(self.id, devices), stop=self._stop.wait())
        if busy is not None:
            self._show(ReplicaState.PREPARING, reason=None)
        return not self.stopping

    async def _download(self, desired: DesiredReplica) -> DesiredReplica | Reason:
        """The replica with its files on this machine, once they are; why they are not; at once on a stop order."""
        downloads, outcome = self._context.downloads, list[Reason | None]()
        if desired.facts.origin is None:
            return desired

        async def wait() -> None:
            outcome.append(await downloads.ensure(desired.facts))

        doing = Doing(stage="downloaded", since=self._context.now())
        self._show(ReplicaState.DOWNLOADING, doing=doing)
        await first_of(files=wait(), stop=self._stop.wait())
        if not outcome:
            return reason(ReasonCode.STOP_REQUESTED)
        if outcome[0] is not None:
            return outcome[0]
        self._state = ReplicaState.PREPARING
        self._mark("downloaded")
        return desired.model_copy(update={"facts": downloads.store.located(desired.facts)})

    async def _attend(self, desired: DesiredReplica) -> Ending | None:
        """Stay with the running engine. Why it ended, None when a stop was ordered."""
        engine, plan = self._engine, self._plan
        if engine is None or plan is None:
            return None
        told = Told(self._stages, self._is_ready, self._is_answering, self._is_measured, self._is_seen)
        ended = [mark.stage for mark in self._progress.timeline]
        watcher = Watcher(self._context, self._folder, plan, told, ended)
        started_ready = self._state is ReplicaState.READY
        if not started_ready:
            self._context.starts.hold(self.id, gpus_of(desired.claims))
        ended = await first_of(
            exit=wait_end(engine), stop=self._stop.wait(), watch=watcher.run(already_ready=started_ready)
        )
        if self.stopping:
            return None
        if "exit" not in ended and watcher.verdict is not None:
            await stop_engine(self.id, engine, self._context.config)
            self._engine = None
            return Ending(watcher.verdict, launched=True)
        # The port and the pid are nobody's from here on, whatever the reason will be.
        self._engine, self._state = None, ReplicaState.BACKOFF
        return await watcher.ending(desired, self._progress)

    async def _after(self, ending: Ending) -> None:
        """Count the ending and wait until it is time for the next attempt."""
        config, now = self._context.config, self._context.now()
        ready_since = self._progress.ready_since
        stable = ready_since is not None and now - ready_since >= config.stable_after
        failures = 1 if stable else self._progress.failures + 1
        hopeless = what_next(ending.reason, was_ready=ready_since is not None) is Next.NEVER
        pause = backoff_seconds(failures, config.backoff_first, config.backoff_cap)
        self._retry_at = None if hopeless else now + pause
        self._show(
            ReplicaState.FAILED if hopeless else ReplicaState.BACKOFF,
            failures=failures,
            restarts=self._progress.restarts + ending.launched,
            reason=ending.reason,
            evidence=ending.evidence,
            given_up=hopeless,
            running=False,
            ready_since=None,
            doing=None,
        )
        _log.warning("replica %s: %s %s", self.id, ending.reason.code, ending.reason.params)
        if not hopeless:
            await first_of(pause=asyncio.sleep(pause), stop=self._stop.wait())
            self._retry_at = None

    async def _finish(self) -> None:
        """End every process of the replica, then forget it."""
        lock = replica_lock(self._context.config.locks, self.id)
        pause = _LOCK_POLL_SECONDS
        while True:
            self.adopt()
            if self._engine is not None:
                await stop_engine(self.id, self._engine, self._context.config)
            if await asyncio.to_thread(is_free, lock):
                break
            await clear_processes(self.id, lock)
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 2)
        self._engine = None
        await asyncio.to_thread(self._folder.remove)
        await asyncio.to_thread(lock.unlink, missing_ok=True)

    def _is_ready(self) -> None:
        self._context.starts.release(self.id)
        self._show(ReplicaState.READY, ready_since=self._context.now(), reason=None, evidence=(), doing=None)

    def _is_measured(self, what: Measurement) -> None:
        self._show(self._state, measured=what)

    def _is_answering(self, why: Reason | None) -> None:
        if self._progress.reason != why:
            self._show(self._state, reason=why)

    def _is_seen(self, what: Sight) -> None:
        self._show(self._state, sight=what)

    def _mark(self, stage: str) -> None:
        self._stages((stage,), _NEXT[stage])

    def _stages(self, ended: Sequence[str], begun: str, share: float | None = None) -> None:
        """Stages are over and another one is under way; it began now, or when it was first seen."""
        now, before = self._context.now(), self._progress.doing
        timeline = (*self._progress.timeline, *(Mark(stage=stage, at=now) for stage in ended))
        since = before.since if before is not None and (before.stage == begun or not ended) else now
        self._show(self._state, timeline=timeline, doing=Doing(stage=begun, since=since, share=share))

    def _show(self, state: ReplicaState, **changes: object) -> None:
        """Change what is observed, and remember it."""
        self._state = state
        try:
            self._remember(**changes)
        except OSError as error:
            # The disk may be full; what is in memory holds, and a launch says so where it matters.
            _log.warning("replica %s: progress cannot be kept: %s", self.id, error.strerror)
        self._context.changes.note()

    def _remember(self, **changes: object) -> None:
        self._progress: Progress = self._progress.model_copy(update=changes)
        self._folder.write_progress(self._progress)
