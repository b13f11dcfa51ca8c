"""Long seeded walks through the small world: quicker than searching, they also show that weaker rules are caught."""

import random
from collections.abc import Callable

import pytest
from tests.domain.test_world import SmallWorld
from tests.domain.world import NEEDS, NODES, Rules

from aimindserve.domain.lifecycle import Action

WALKS = 400
MOST_WALKS = 6000
STEPS = 60


class Walk:
    """One walk: the machine's own steps, weighted so that much happens."""

    def __init__(self, decisions: Rules, seed: int) -> None:
        self.random = random.Random(seed)
        self.machine = SmallWorld.__new__(SmallWorld)
        self.machine.decisions = decisions
        self.machine.begin()
        self.world = self.machine.world

    def run(self) -> None:
        steps = self._steps()
        for _ in range(STEPS):
            self.random.choices(list(steps), list(steps.values()))[0]()
            self.world.check()
        self.machine.teardown()

    def _steps(self) -> dict[Callable[[], object], int]:
        machine, chance = self.machine, self.random
        orders = [Action.START, Action.STOP, Action.RESTART, Action.DELETE]
        return {
            lambda: machine.create(self.name(), chance.choice(NEEDS), chance.randint(1, 3)): 10,
            lambda: machine.edit(self.name(), chance.choice(NEEDS)): 6,
            lambda: machine.scale(self.name(), chance.randint(0, 3)): 3,
            lambda: machine.order(self.name(), chance.choice(orders)): 6,
            lambda: machine.whole_round(self.node()): 10,
            lambda: machine.undisturbed_round(self.node()): 15,
            lambda: self.world.orders and machine.deliver_order(self.which(), chance.random() < 0.3): 15,
            lambda: self.world.answers and machine.deliver_answer(self.which(), chance.random() < 0.3): 15,
            lambda: machine.finish_stops(self.node()): 5,
            lambda: machine.crash_engine(self.node(), self.which()): 3,
            lambda: machine.restart_engines(self.node()): 3,
            lambda: machine.restart_agent(self.node()): 3,
            lambda: machine.wait(chance.choice([1.0, 30.0])): 2,
            lambda: machine.partition(self.node()): 1,
            lambda: machine.heal(self.node()): 2,
            machine.crash_server: 1,
        }

    def name(self) -> str:
        return self.random.choice(["m1", "m2"])

    def node(self) -> str:
        return self.random.choice(NODES)

    def which(self) -> int:
        """The newest message mostly, an old one at times."""
        return min(int(self.random.expovariate(1)), 7)


@pytest.mark.parametrize("first", range(0, WALKS, 100))
def test_walks_end_well(first: int) -> None:
    for seed in range(first, first + 100):
        Walk(Rules(), seed).run()


WEAKER = {
    "memory is free as soon as a report omits the replica": Rules(
        gone=lambda replica, acked, reported: replica.stopping and replica.id not in reported
    ),
    "memory is free as soon as the stop order is acknowledged": Rules(
        gone=lambda replica, acked, reported: replica.stop_revision is not None and acked >= replica.stop_revision
    ),
    "the memory of stopping replicas counts as free": Rules(counts_stopping=False),
    "a restarted agent forgets what runs": Rules(readopts=False),
    "an agent follows stale orders": Rules(refuses_stale=False),
    "orders to a dead agent reach the next one": Rules(fenced=False),
}


@pytest.mark.parametrize("weakness", WEAKER)
def test_a_weaker_rule_is_caught(weakness: str) -> None:
    """Each of these books a device twice or runs a replica twice, sooner or later; that the walks find it gives their
    silence a meaning."""
    with pytest.raises(AssertionError, match=r"booked|runs"):
        walk_until_caught(WEAKER[weakness])


def walk_until_caught(decisions: Rules) -> None:
    for seed in range(MOST_WALKS):
        Walk(decisions, seed).run()
