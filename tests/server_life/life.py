"""Reconcilers run by hand, one step after the other, and what one asks of the result."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select, update
from tests.server.fixtures import WAIT_SECONDS, Clock

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.lifecycle import Phase, Standing
from aimindserve.domain.replicas import Deployment, Replica, Wanted
from aimindserve.domain.routing import Route, RoutingTable
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.units import MIB
from aimindserve.domain.usage import UsageRecord
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow, EventRow, NodeRow
from aimindserve.server.reconcile.files import reconcile_files
from aimindserve.server.reconcile.nodes import sync_node
from aimindserve.server.reconcile.observe import World, look
from aimindserve.server.reconcile.placement import reconcile_placement
from aimindserve.server.reconcile.relief import reconcile_relief
from aimindserve.server.reconcile.replicas import reconcile_replicas
from aimindserve.server.reconcile.routes import read_table
from aimindserve.server.tokens import new_id
from aimindserve.sim.fake_node import FakeFabric, FakeNode

MOST_ROUNDS = 20
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests of what is the same on every database."""


def record(number: int, **changes: Any) -> UsageRecord:
    values: dict[str, Any] = {
        "request_id": f"request-{number}",
        "started_at": 1_790_000_000.0 + number,
        "endpoint": "/v1/chat/completions",
        "model": "eye",
        "deployment_id": "d",
        "replica_id": "r",
        "user_id": "u",
        "key_id": None,
        "status": 200,
        "prompt_tokens": 10,
        "completion_tokens": number,
    }
    return UsageRecord(**values | changes)


def model_facts(weights: int = 500 * MIB) -> ModelFacts:
    return ModelFacts(
        format=ModelFormat.GGUF,
        architecture="qwen2vl",
        name="Tiny",
        files=(ModelFile(path="/models/tiny.gguf", role=FileRole.WEIGHTS, size=weights),),
        capabilities=("chat", "vision"),
        context_length=4096,
        layers=2,
        heads=2,
        kv_heads=1,
        head_size=32,
        embedding_size=64,
        vocabulary_size=1000,
        weight_bytes=weights,
    )


@dataclass
class Life:
    """A server's reconcilers on ``fabric``."""

    context: ServerContext
    clock: Clock
    fabric: FakeFabric
    busy: set[str] = field(default_factory=set[str])
    """Replicas that have answers to end."""

    async def add(self, name: str = "eye", replicas: int = 1, weights: int = 500 * MIB) -> str:
        """A deployment as the API would store it; its id."""
        spec = DeploymentSpec(name=name, source="file:///models/tiny.gguf", replicas=replicas)
        async with self.context.database.unit_of_work("tests") as work:
            row = DeploymentRow(
                id=new_id(),
                name=name,
                spec=spec,
                wanted=Wanted.RUNNING,
                generation=1,
                revision=1,
                facts=model_facts(weights),
                created_at=work.now,
                updated_at=work.now,
            )
            work.session.add(row)
            work.record("deployment.created", subject=name, deployment=name)
        return row.id

    async def change(self, name: str = "eye", *, again: bool = False, **values: object) -> None:
        """Changes a deployment's row; ``again`` raises its generation."""
        async with self.context.database.unit_of_work("tests") as work:
            row = await work.session.scalar(select(DeploymentRow).where(DeploymentRow.name == name))
            assert row is not None
            for key, value in values.items():
                setattr(row, key, value)
            row.revision += 1
            row.generation += again
            work.record("deployment.edited", subject=name, deployment=name)

    async def scale(self, replicas: int, name: str = "eye") -> None:
        deployment = await self.deployment(name)
        await self.change(name, spec=deployment.spec.model_copy(update={"replicas": replicas}))

    async def round(self) -> bool:
        """One step of each reconciler. True when anything was changed."""
        self.fabric.now = self.clock.now
        changed = False
        for ref in await self.fabric.nodes():
            with contextlib.suppress(ConnectionError):
                changed |= await sync_node(self.context, self.fabric, ref)
        changed |= bool(await reconcile_relief(self.context))
        changed |= bool(await reconcile_replicas(self.context, lambda replica: replica not in self.busy))
        changed |= bool(await reconcile_placement(self.context))
        await reconcile_files(self.context)
        self.check()
        return changed

    async def settle(self) -> None:
        """Rounds until nothing changes any more."""
        for _ in range(MOST_ROUNDS):
            if not await self.round():
                return
        raise AssertionError("it does not settle")

    def check(self) -> None:
        """What must be true at any moment."""
        assert not any(machine.overbooked for machine in self.fabric.machines.values()), "memory was booked twice"

    async def world(self) -> World:
        async with self.context.database.read() as session:
            return await look(session)

    async def deployment(self, name: str = "eye") -> Deployment:
        world = await self.world()
        return next(found for found in world.deployments if found.spec.name == name)

    async def standing(self, name: str = "eye") -> Standing:
        world = await self.world()
        return world.standing(await self.deployment(name), self.clock.now)[0]

    async def phase(self, name: str = "eye") -> Phase:
        return (await self.standing(name)).phase

    async def replicas(self) -> tuple[Replica, ...]:
        return (await self.world()).replicas

    async def table(self) -> RoutingTable:
        return await read_table(self.context)

    async def route(self, name: str = "eye") -> Route:
        return next(route for route in (await self.table()).routes if route.model == name)

    async def last_event(self) -> int:
        async with self.context.database.read() as session:
            return await session.scalar(select(func.max(EventRow.id))) or 0

    async def kinds(self) -> list[str]:
        """Kinds of all events about deployments and replicas, oldest first."""
        async with self.context.database.read() as session:
            rows = await session.scalars(
                select(EventRow.kind).where(EventRow.deployment.is_not(None)).order_by(EventRow.id)
            )
            return list(rows)

    async def node_row(self, node_id: str = "one") -> NodeRow:
        async with self.context.database.read() as session:
            row = await session.get(NodeRow, node_id)
        assert row is not None
        return row

    async def set_revision(self, revision: int, node_id: str = "one") -> None:
        """As if an older copy of the database had been restored."""
        async with self.context.database.unit_of_work("tests", quiet=True) as work:
            values = {"desired_revision": revision, "acked_revision": min(revision, 1)}
            await work.session.execute(update(NodeRow).where(NodeRow.id == node_id).values(**values))


async def until(what: Callable[[], object]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not what():  # noqa: ASYNC110  # it has no event of its own
            await asyncio.sleep(0.002)


def only(node: FakeNode) -> str:
    """The id of the one replica that a node holds."""
    assert len(node.held) == 1
    return next(iter(node.held))
