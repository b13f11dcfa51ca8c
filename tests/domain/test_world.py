"""Edits, crashes, partitions and lost, late, doubled and reordered messages in a small world: no device is ever booked
twice, everything settles, and then nothing is left to do."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.domain.world import NEEDS, NODES, Rules, World

from aimindserve.domain import lifecycle
from aimindserve.domain.lifecycle import Action, NodeStatus, allowed_actions, deployment_phase
from aimindserve.domain.replicas import Assignment, Deployment, Wanted, decide_replicas

NAMES = st.sampled_from(["m1", "m2", "m3"])
NODE = st.sampled_from(NODES)
WHICH = st.integers(0, 7)


class SmallWorld(RuleBasedStateMachine):
    """Anything may happen at any time."""

    decisions = Rules()

    @initialize()
    def begin(self) -> None:
        self.world = World(self.decisions)
        for node in NODES:
            self.world.exchange(node)

    def _allowed(self, name: str, action: Action) -> bool:
        deployment = self.world.server.deployments.get(name)
        return deployment is not None and action in allowed_actions(deployment)

    # People

    @rule(name=NAMES, need=st.sampled_from(NEEDS), replicas=st.integers(1, 3))
    def create(self, name: str, need: str, replicas: int) -> None:
        if name not in self.world.server.deployments:
            self.world.server.create(name, need, replicas)

    @rule(name=NAMES, need=st.sampled_from(NEEDS))
    def edit(self, name: str, need: str) -> None:
        if self._allowed(name, Action.EDIT):
            self.world.server.change(name, again=True, parameters=tuple(need.split()))

    @rule(name=NAMES, replicas=st.integers(0, 3))
    def scale(self, name: str, replicas: int) -> None:
        if self._allowed(name, Action.SCALE):
            self.world.server.change(name, replicas=replicas)

    @rule(name=NAMES, action=st.sampled_from([Action.START, Action.STOP, Action.RESTART, Action.DELETE]))
    def order(self, name: str, action: Action) -> None:
        if not self._allowed(name, action):
            return
        wanted = {Action.STOP: Wanted.STOPPED, Action.DELETE: Wanted.DELETED}.get(action, Wanted.RUNNING)
        self.world.server.change(name, wanted=wanted, again=action is Action.RESTART)

    # The server

    @rule()
    def reconcile(self) -> None:
        self.world.server.reconcile_replicas()

    @rule()
    def place(self) -> None:
        self.world.server.reconcile_placement(self.world.now)

    @rule(node=NODE)
    def send(self, node: str) -> None:
        self.world.send(node)

    @rule(node=NODE)
    def whole_round(self, node: str) -> None:
        """Progress, so that interesting states are reached."""
        self.world.server.reconcile_replicas()
        self.world.server.reconcile_placement(self.world.now)
        self.world.send(node)

    @rule(node=NODE)
    def undisturbed_round(self, node: str) -> None:
        self.whole_round(node)
        if node not in self.world.cut:
            self.world.exchange(node)

    @rule()
    def crash_server(self) -> None:
        """Tables stay; calls that were under way get no answer, though their orders may still arrive."""
        self.world.answers.clear()

    # The network

    @precondition(lambda self: self.world.orders)
    @rule(which=WHICH, twice=st.booleans())
    def deliver_order(self, which: int, twice: bool) -> None:
        self.world.deliver_order(which, keep=twice)

    @precondition(lambda self: self.world.answers)
    @rule(which=WHICH, twice=st.booleans())
    def deliver_answer(self, which: int, twice: bool) -> None:
        self.world.deliver_answer(which, keep=twice)

    @precondition(lambda self: self.world.orders)
    @rule(which=WHICH)
    def lose_order(self, which: int) -> None:
        self.world.orders.pop(which % len(self.world.orders))

    @precondition(lambda self: self.world.answers)
    @rule(which=WHICH)
    def lose_answer(self, which: int) -> None:
        self.world.answers.pop(which % len(self.world.answers))

    @rule(node=NODE)
    def partition(self, node: str) -> None:
        self.world.cut.add(node)

    @rule(node=NODE)
    def heal(self, node: str) -> None:
        self.world.cut.discard(node)

    @rule(seconds=st.sampled_from([1.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.world.now += seconds

    # Nodes

    @rule(node=NODE)
    def finish_stops(self, node: str) -> None:
        self.world.nodes[node].finish_stops()

    @rule(node=NODE, which=WHICH)
    def crash_engine(self, node: str, which: int) -> None:
        self.world.nodes[node].crash_engine(which)

    @rule(node=NODE)
    def restart_engines(self, node: str) -> None:
        self.world.nodes[node].restart_engines()

    @rule(node=NODE)
    def restart_agent(self, node: str) -> None:
        self.world.nodes[node].restart_agent()

    # What must hold

    @invariant()
    def nothing_is_booked_twice(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            assert_settled(self.world)


def assert_settled(world: World) -> None:
    """What runs is what is wanted and fits; no decision wants anything more; the phases say so."""
    server = world.server
    desired = {replica.id for node in NODES for replica in server.desired(node).replicas}
    running = {replica for node in world.nodes.values() for replica, _ in node.processes}
    held = {name for node in world.nodes.values() for name in node.ledgers}
    assert running == desired == held, f"it runs {running}, holds {held} and should run {desired}"
    assert all(deployment.wanted is not Wanted.DELETED for deployment in server.deployments.values())
    for deployment in server.deployments.values():
        replicas = server.of(deployment.id)
        assert not decide_replicas(deployment, replicas)
        assert len(replicas) == (deployment.spec.replicas if deployment.wanted is Wanted.RUNNING else 0)
        for replica in replicas:
            waits = replica.assignment is None
            assert waits != (replica.id in running)
            assert not waits or not isinstance(server.find_place(replica, world.now), Assignment)
        assert_phase(world, deployment)
    assert {replica.deployment_id for replica in server.replicas.values()} <= set(server.deployments)


def assert_phase(world: World, deployment: Deployment) -> None:
    standings = []
    for replica in world.server.of(deployment.id):
        node = replica.assignment.node_id if replica.assignment else None
        status = NodeStatus(node, node, world.server.nodes[node].last_report_at) if node else None
        standing = lifecycle.phase(replica, status, world.now)
        assert standing.phase is (lifecycle.Phase.READY if node else lifecycle.Phase.PENDING)
        assert node or standing.reasons, "it waits without a reason"
        standings.append((replica, standing))
    phase = deployment_phase(deployment, standings).phase
    if not standings:
        assert phase is lifecycle.Phase.STOPPED
    else:
        assert phase in {standing.phase for _, standing in standings}


SmallWorld.TestCase.settings = settings(
    max_examples=120, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSmallWorld = SmallWorld.TestCase
