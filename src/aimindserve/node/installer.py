"""Environments of engines on this node: made one at a time as ordered, removed when nobody runs from them, and told of
with everything else that can start an engine here."""

import asyncio
import contextlib
import logging
import os
import shutil
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aimindserve.domain.environments import (
    MOVING,
    Environment,
    EnvironmentOrigin,
    EnvironmentState,
    Recipe,
    WantedEnvironment,
    program_key,
)
from aimindserve.domain.files import TransferProgress
from aimindserve.domain.nodes import EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.node.changes import Changes
from aimindserve.node.config import NodeConfig
from aimindserve.node.environment_job import EnvironmentJob, EnvironmentNews, read_marker
from aimindserve.node.environments import Environments, variant_of
from aimindserve.node.folder import replica_folders
from aimindserve.node.jobs import job_news
from aimindserve.node.ledger import living_engine, read_ledger
from aimindserve.node.loop import keep_going

_log = logging.getLogger("aimindserve.node")
_LINES_KEPT = 40
_MODULE = "aimindserve.node.environment_job"


@dataclass
class _Order:
    """One order and how far it is."""

    wanted: WantedEnvironment
    state: EnvironmentState = EnvironmentState.QUEUED
    done: int = 0
    total: int = 0
    why: Reason | None = None
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))
    task: asyncio.Task[None] | None = None

    def begin_again(self) -> None:
        """As if it had just been ordered; what was fetched lies where it was."""
        self.state, self.why = EnvironmentState.QUEUED, None
        self.log.clear()


class Installer:
    """Carries out orders. ``run`` must be running; everything is called on its event loop."""

    def __init__(self, config: NodeConfig, changes: Changes, environments: Environments, boot_id: str) -> None:
        self._config = config
        self._changes = changes
        self._environments = environments
        self._boot_id = boot_id
        self._orders: dict[str, _Order] = {}
        self._drop: set[str] = set()
        self._offline = False
        self.programs: tuple[EngineInstall, ...] = ()
        """Everything that can start an engine here, as last seen."""
        self._there: tuple[Environment, ...] = ()
        self._wake = asyncio.Event()
        self._told: tuple[Environment, ...] = ()

    async def run(self) -> None:
        """Work until cancelled. What is under way is begun again at the next start, with what has arrived."""
        await keep_going("environments", self._work)

    def order(self, wanted: Sequence[WantedEnvironment], drop: Sequence[str], *, offline: bool) -> None:
        """What the server wants now. An order that is gone ends its work; ``drop``: keys of environments to remove."""
        self._offline = offline
        named = {one.key: one for one in wanted}
        for key, one in named.items():
            known = self._orders.setdefault(key, _Order(one))
            if known.wanted.attempt != one.attempt:
                known.begin_again()
            known.wanted = one
        for key in [key for key in self._orders if key not in named]:
            task = self._orders.pop(key).task
            if task is not None:
                task.cancel()
        self._environments.register(self._registered())
        self._drop = set(drop)
        self._wake.set()

    def _registered(self) -> dict[str, str]:
        """Programs that were checked, with their engine."""
        ready = (one.wanted for one in self._orders.values() if one.state is EnvironmentState.READY)
        return {one.program: one.engine for one in ready if one.program}

    def observe(self) -> tuple[Environment, ...]:
        """Every environment that is there or on its way."""
        found = {one.key: one for one in self._there}
        for key, order in self._orders.items():
            if key not in found and order.state is not EnvironmentState.READY:
                found[key] = _seen(key, order)
        return tuple(found[key] for key in sorted(found))

    async def look(self) -> None:
        """Learn what is there, and who runs from it."""
        self.programs = await self._environments.installed()
        before = self._there
        self._there = await asyncio.to_thread(self._read, self.programs, frozenset(self._registered()))
        if self._there != before:
            self._wake.set()
        self._tell()

    def _read(self, installs: Sequence[EngineInstall], registered: frozenset[str]) -> tuple[Environment, ...]:
        used = self._used()
        return tuple(self._environment(one, registered, tuple(used.get(one.path, ()))) for one in installs)

    def _used(self) -> dict[str, list[str]]:
        """Replicas by the program that they run from."""
        found: dict[str, list[str]] = {}
        for folder in replica_folders(self._config.replicas):
            ledger = read_ledger(folder.ledger_path)
            if ledger is not None and living_engine(ledger, self._boot_id) is not None:
                found.setdefault(ledger.plan.install.path, []).append(folder.replica_id)
        return found

    def _environment(self, one: EngineInstall, registered: frozenset[str], used: tuple[str, ...]) -> Environment:
        place = self._place(one)
        marker = read_marker(place) if place else None
        origin = EnvironmentOrigin.FOUND
        if place is not None:
            origin = EnvironmentOrigin.INSTALLED
        elif one.path in registered:
            origin = EnvironmentOrigin.REGISTERED
        return Environment(
            key=f"{one.engine}-{place.name}" if place else program_key(one.path),
            engine=one.engine,
            version=one.version,
            variant=variant_of(one),
            origin=origin,
            state=EnvironmentState.READY,
            path=one.path,
            size=marker.size if marker else None,
            used_by=used,
        )

    def _place(self, one: EngineInstall) -> Path | None:
        """The folder of an environment below the engines' folder; None where the program lies elsewhere."""
        with contextlib.suppress(ValueError):
            inside = Path(one.path).relative_to(self._config.engines / one.engine)
            return self._config.engines / one.engine / inside.parts[0]
        return None

    async def _work(self) -> None:
        await asyncio.to_thread(self._config.engines.mkdir, mode=0o700, parents=True, exist_ok=True)
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                await self._remove()
                self._start_next(group)
                self._tell()
                await self._wake.wait()

    def _tell(self) -> None:
        """Only what differs is a change: the server orders again after each, and neither would ever rest."""
        seen = self.observe()
        if seen != self._told:
            self._told = seen
            self._changes.note()

    async def _remove(self) -> None:
        going = [one for one in self._there if one.key in self._drop and one.origin is EnvironmentOrigin.INSTALLED]
        for one in going:
            place = self._config.engines / one.engine / one.key.removeprefix(f"{one.engine}-")
            try:
                if not one.used_by:
                    await asyncio.to_thread(_delete, place, self._config.engines / ".partial")
            except OSError as error:
                _log.warning("environment %s cannot be deleted: %s", one.key, error)
        if going:
            await self.look()

    def _start_next(self, group: asyncio.TaskGroup) -> None:
        if any(order.task for order in self._orders.values()):
            return
        there = {one.key for one in self._there}
        for key, order in self._orders.items():
            if key in there:
                order.state = EnvironmentState.READY
            elif order.state is EnvironmentState.READY:  # somebody else took it away
                order.begin_again()
            if order.state is EnvironmentState.QUEUED:
                order.task = group.create_task(self._carry_out(order))
                return

    async def _carry_out(self, order: _Order) -> None:
        try:
            order.why = await (self._check(order) if order.wanted.program else self._make(order))
            order.state = EnvironmentState.FAILED if order.why else EnvironmentState.READY
            self._environments.register(self._registered())
            await self.look()
        finally:
            order.task = None
            self._wake.set()
        if order.why is not None:
            _log.warning("environment %s: %s %s", order.wanted.key, order.why.code, order.why.params)

    async def _check(self, order: _Order) -> Reason | None:
        """Whether a program is the engine that an administrator says."""
        self._enter(order, EnvironmentState.CHECKING)
        return await self._environments.check(order.wanted.engine, order.wanted.program or "")

    async def _make(self, order: _Order) -> Reason | None:
        wanted = order.wanted
        recipe = self._config.find_recipe(wanted.engine, wanted.version, wanted.variant or "")
        if isinstance(recipe, Reason):
            return recipe
        if self._offline and wanted.wheels is None:
            return reason(ReasonCode.DOWNLOAD_OFFLINE, file=wanted.key)
        order.total = recipe.size
        return await self._watch(order, recipe)

    async def _watch(self, order: _Order, recipe: Recipe) -> Reason | None:
        job = EnvironmentJob(engines=str(self._config.engines), recipe=recipe, brought=order.wanted.wheels)
        async with contextlib.aclosing(job_news(_MODULE, job, EnvironmentNews)) as told:
            async for news in told:
                if news.finished or news.reason is not None:
                    return news.reason
                order.done = news.done
                if news.line:
                    order.log.append(news.line)
                self._enter(order, news.state)
        return reason(ReasonCode.ENVIRONMENT_BROKEN, engine=recipe.key, detail="the installing process ended")

    def _enter(self, order: _Order, state: EnvironmentState) -> None:
        order.state = state
        self._tell()


def _seen(key: str, order: _Order) -> Environment:
    wanted = order.wanted
    moving = order.state in MOVING and order.total > 0
    return Environment(
        key=key,
        engine=wanted.engine,
        version=wanted.version,
        variant=wanted.variant or "",
        origin=EnvironmentOrigin.REGISTERED if wanted.program else EnvironmentOrigin.INSTALLED,
        state=order.state,
        path=wanted.program,
        progress=TransferProgress(done=order.done, total=order.total) if moving else None,
        reason=order.why,
        log=tuple(order.log),
    )


def _delete(place: Path, aside: Path) -> None:
    """Out of the way at once, so that nobody starts from half of it."""
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    old = aside / f"{place.name}.{os.getpid()}.removed"
    shutil.rmtree(old, ignore_errors=True)
    place.rename(old)
    shutil.rmtree(old)
