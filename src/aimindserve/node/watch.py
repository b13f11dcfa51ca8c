"""Attending to a running engine: until it is ready, and from then on."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from aimindserve.domain.measured import Measurement
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import DesiredReplica
from aimindserve.domain.sight import Sight, sight_of
from aimindserve.engines._diagnosis import last_errors
from aimindserve.engines._registry import ENGINES
from aimindserve.engines._steps import StepReader
from aimindserve.node.context import NodeContext
from aimindserve.node.endings import Ending, Exit, exit_reason
from aimindserve.node.folder import Progress, ReplicaFolder
from aimindserve.node.ledger import LaunchPlan, Ledger
from aimindserve.node.logs import LogTail, bound_size, clean, tail_lines
from aimindserve.node.measuring import measure
from aimindserve.node.probes import is_healthy, serves
from aimindserve.node.processes import out_of_memory_kills, wait_end
from aimindserve.node.trying import Tryout

_SHIM_SECONDS = 2.0
# After this many quick looks, looking less often is enough.
_QUICK_LOOKS = 100
_SLOWER = 5


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told what. ``stages``: those that are over, the one that is under way, and the share of it that is done;
    ``answering``: why it does not answer, None once it does again."""

    stages: Callable[[Sequence[str], str, float | None], None]
    ready: Callable[[], None]
    answering: Callable[[Reason | None], None]
    measured: Callable[[Measurement], None]
    sight: Callable[[Sight], None]


class Watcher:
    """Looks after one engine process. ``ended``: stages of its start that are over. ``verdict`` is set when it gives up
    on it."""

    def __init__(
        self,
        context: NodeContext,
        folder: ReplicaFolder,
        plan: LaunchPlan,
        told: Told,
        ended: Collection[str] = (),
    ) -> None:
        self.verdict: Reason | None = None
        self._context = context
        self._folder = folder
        self._plan = plan
        self._told = told
        self._log = LogTail(folder.log_path(plan.attempt), plan.log_start)
        self._steps = StepReader(ENGINES[plan.engine].steps, ended)
        self._probe = ENGINES[plan.engine].probe
        self._key = folder.engine_key() if plan.wants_key else ""
        self._kills_before = out_of_memory_kills()

    async def run(self, *, already_ready: bool) -> None:
        """Wait until the engine serves, then see that it goes on answering. Returns only to give up on it."""
        if not already_ready:
            limit = self._context.config.start_timeout
            try:
                async with asyncio.timeout(limit):
                    await self._until_ready()
            except TimeoutError:
                self.verdict = reason(ReasonCode.ENGINE_START_TIMEOUT, seconds=round(limit))
                return
            if self.verdict is not None:
                return
            self._told.ready()
            await self._measure()
        await self._while_answering()

    async def _measure(self) -> None:
        """Once a start: only then does the log tell of this start's memory alone."""
        context, plan = self._context, self._plan
        log = self._folder.log_path(plan.attempt)
        self._told.measured(await measure(plan, log, context.process_memory, context.now()))

    async def _until_ready(self) -> None:
        """Until it serves and has answered the first requests, or the verdict is that it does not."""
        await self._until(self._healthy)
        await self._until(self._serves)
        await self._read_stages()
        self._told.stages(("healthy",), "answered", None)
        tryout = Tryout(self._plan, self._key, self._context.config)
        self.verdict = await tryout.answers()
        if self.verdict is None and tryout.sees:
            self._told.stages(("answered",), "seen", None)
            sight = await tryout.sight()
            self.verdict = sight if isinstance(sight, Reason) else None
            self._told.sight(sight_of(()) if isinstance(sight, Reason) else sight)
        if self.verdict is None:
            self._told.stages(("seen" if tryout.sees else "answered", "ready"), "", None)

    async def _read_stages(self) -> None:
        before = (self._steps.stage, self._steps.share)
        ended = self._steps.read(await asyncio.to_thread(self._log.more))
        if ended or (self._steps.stage, self._steps.share) != before:
            self._told.stages(ended, self._steps.stage, self._steps.share)

    async def _until(self, asked: Callable[[], Awaitable[bool]]) -> None:
        looks = 0
        while not await asked():
            looks += 1
            await self._read_stages()
            await asyncio.sleep(self._context.config.probe_interval * (1 if looks < _QUICK_LOOKS else _SLOWER))

    async def _while_answering(self) -> None:
        config = self._context.config
        silent = 0.0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            if await self._healthy():
                silent = 0.0
                self._told.answering(None)
            elif silent >= config.give_up_after:
                self.verdict = reason(ReasonCode.ENGINE_NOT_ANSWERING)
                return
            elif silent >= config.unhealthy_after:
                self._told.answering(reason(ReasonCode.ENGINE_NOT_ANSWERING))
            await asyncio.to_thread(bound_size, self._folder.log_path(self._plan.attempt))
            await asyncio.sleep(config.health_interval)
            silent += loop.time() - began

    async def _healthy(self) -> bool:
        plan, limit = self._plan, self._context.config.probe_timeout
        return await is_healthy(self._probe, plan.host, plan.port, self._key, limit)

    async def _serves(self) -> bool:
        plan = self._plan
        return await serves(
            self._probe, plan.host, plan.port, self._key, plan.alias, self._context.config.probe_timeout
        )

    async def ending(self, desired: DesiredReplica, progress: Progress) -> Ending:
        """Why the engine, which has ended, did so. The shim needs a moment to write it down."""
        ledger = self._folder.ledger()
        if ledger is not None and ledger.state != "ended":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SHIM_SECONDS):
                    await wait_end(ledger.shim)
            ledger = self._folder.ledger()
        return read_ending(ledger, self._folder, desired, progress, oom_kills=self._kills_before)


def ended_by_order(ledger: Ledger, boot: str) -> bool:
    """Whether an engine that ended while no agent watched was most likely told to: the machine was started again, or
    somebody sent TERM. That is no crash."""
    return ledger.plan.boot_id != boot or ledger.signal == signal.SIGTERM or ledger.exit_code == 0


def read_ending(
    ledger: Ledger | None,
    folder: ReplicaFolder,
    desired: DesiredReplica,
    progress: Progress,
    *,
    oom_kills: int | None,
) -> Ending:
    """Why an engine ended, from its ledger and its log. ``oom_kills``: the kernel's count when it was last seen alive,
    None when that is not known."""
    seen = ledger is not None and ledger.state == "ended"
    struck = oom_kills is not None and out_of_memory_kills() > oom_kills
    how = Exit(ledger.exit_code, ledger.signal, struck) if seen and ledger else Exit(kernel_killed=struck)
    engine = ENGINES[desired.engine]
    install = ledger.plan.install if ledger else None
    lines = tail_lines(folder.log_path(progress.attempt), start=ledger.plan.log_start if ledger else 0)
    told = engine.explain(lines, desired.facts, install)
    why = exit_reason(how, told.reason, was_ready=progress.ready_since is not None)
    shown = told.evidence if why == told.reason else last_errors(lines)
    return Ending(why, launched=True, evidence=tuple(clean(line, [folder.engine_key()]) for line in shown))
