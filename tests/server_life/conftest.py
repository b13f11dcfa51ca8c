import pytest
from tests.server.fixtures import (
    Clock,
    admin,
    anonymous,
    app,
    cli,
    clock,
    context,
    data_dir,
    database_url,
    fresh_admin,
    postgres,
    settings,
    stranger,
)
from tests.server_life.life import Life

from aimindserve.server.context import ServerContext
from aimindserve.sim.fake_node import FakeFabric, FakeNode, cpu_node

__all__ = [
    "admin",
    "anonymous",
    "app",
    "cli",
    "clock",
    "context",
    "data_dir",
    "database_url",
    "fresh_admin",
    "postgres",
    "settings",
    "stranger",
]


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(cpu_node("one"))


@pytest.fixture
def fabric(node: FakeNode) -> FakeFabric:
    return FakeFabric([node])


@pytest.fixture
def life(context: ServerContext, clock: Clock, fabric: FakeFabric) -> Life:
    """A server whose reconcilers are run step by step."""
    context.fabric = fabric
    return Life(context, clock, fabric)
