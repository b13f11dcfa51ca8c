"""A small world for testing decisions: a server's tables, nodes with real processes, and a bad network between them.

Everything that decides is the product's own code; this file only stores, sends and starts, in the simplest way. Each
method of ``Server`` is one transaction, as in ``server/reconcile``. ``Rules`` lets a test weaken one decision and see
the world notice."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from aimindserve.domain.agent_plan import plan_agent
from aimindserve.domain.facts import ModelFacts, ModelFormat
from aimindserve.domain.lifecycle import NodeStatus
from aimindserve.domain.nodes import Device, DeviceKind, NodeFacts
from aimindserve.domain.placement import Ask, Cell, Demand, choose, nearest_lack
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.replicas import (
    Assignment,
    Deployment,
    DesiredReplica,
    DesiredState,
    NodeReport,
    Replica,
    ReplicaObservation,
    ReplicaState,
    Wanted,
    decide_replicas,
    desired_state,
    is_gone,
)
from aimindserve.domain.rooms import Fleet, fleet_of
from aimindserve.domain.specs import DeploymentSpec

FACTS = ModelFacts(format=ModelFormat.GGUF, architecture="x", name="x", files=())
NEEDS = ("30", "50", "80", "30 exclusive", "100")


def _gpu(name: str, *, shared: bool) -> Device:
    size = {"memory_total": 80, "memory_free": 80, "allocatable": 80}
    return Device(id=name, kind=DeviceKind.NVIDIA, name=name, shared=shared, **size)


DEVICES = {
    "a": (
        _gpu("gpu0", shared=True),
        Device(id="cpu", kind=DeviceKind.CPU, name="CPU", memory_total=99, memory_free=99, allocatable=60),
    ),
    "b": (_gpu("gpu1", shared=False),),
}
NODES = tuple(DEVICES)


@dataclass(frozen=True)
class Rules:
    """The decisions that a test may weaken."""

    gone: Callable[[Replica, int, Collection[str]], bool] = is_gone
    counts_stopping: bool = True
    """The memory of stopping replicas counts as claimed."""
    readopts: bool = True
    """A restarted agent knows what runs from its ledgers."""
    refuses_stale: bool = True
    """An agent ignores revisions below the one that it acted on."""
    fenced: bool = True
    """What was sent to an agent does not reach the one that comes after its death."""


@dataclass
class Node:
    """A machine. ``ledgers`` and ``processes`` (id, pid) are real and outlive the agent; the rest is its memory."""

    name: str
    rules: Rules
    ledgers: dict[str, DesiredReplica] = field(default_factory=dict)
    processes: list[tuple[str, int]] = field(default_factory=list)
    life: int = 1
    acked: int = 0
    known: set[str] = field(default_factory=set)
    stopping: set[str] = field(default_factory=set)
    pids: int = 0

    @property
    def facts(self) -> NodeFacts:
        return NodeFacts(node_id=self.name, hostname=self.name, boot_id="1", devices=DEVICES[self.name])

    def sync(self, desired: DesiredState) -> NodeReport:
        present = set(self.ledgers) if self.rules.readopts else self.known
        acked = self.acked if self.rules.refuses_stale else 0
        plan = plan_agent(desired, acked, present, self.stopping)
        self.acked = plan.acked
        for replica in plan.start:
            self.ledgers[replica.id] = replica
            self.known.add(replica.id)
            self._launch(replica.id)
        self.stopping.update(plan.stop)
        return self.report()

    def report(self) -> NodeReport:
        return NodeReport(
            node_id=self.name,
            acked_revision=self.acked,
            facts=self.facts,
            replicas=tuple(self._observe(replica) for replica in self.ledgers),
        )

    def _observe(self, replica: str) -> ReplicaObservation:
        runs = any(replica == running for running, _ in self.processes)
        state = ReplicaState.READY if runs else ReplicaState.BACKOFF
        return ReplicaObservation(id=replica, state=ReplicaState.STOPPING if replica in self.stopping else state)

    def _launch(self, replica: str) -> None:
        self.pids += 1
        self.processes.append((replica, self.pids))

    def finish_stops(self) -> bool:
        done = bool(self.stopping)
        for replica in self.stopping:
            self.processes = [process for process in self.processes if process[0] != replica]
            self.ledgers.pop(replica, None)
            self.known.discard(replica)
        self.stopping.clear()
        return done

    def crash_engine(self, which: int) -> None:
        if self.processes:
            self.processes.pop(which % len(self.processes))

    def restart_engines(self) -> bool:
        dead = set(self.ledgers) - {replica for replica, _ in self.processes} - self.stopping
        if self.acked:
            for replica in sorted(dead):
                self._launch(replica)
        return bool(dead) and self.acked > 0

    def restart_agent(self) -> None:
        self.life += 1
        self.acked = 0
        self.known, self.stopping = set(), set()


@dataclass
class NodeTable:
    """What the server stores of a node."""

    desired_revision: int = 1
    acked_revision: int = 0
    last_report_at: float | None = None
    facts: NodeFacts | None = None


class Server:
    """The server's tables and transactions. Methods say whether they changed something."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.deployments: dict[str, Deployment] = {}
        self.replicas: dict[str, Replica] = {}
        self.nodes: dict[str, NodeTable] = {}
        self.counter = 0

    def create(self, name: str, need: str, replicas: int) -> None:
        spec = DeploymentSpec(name=name, source="demo://x", parameters=tuple(need.split()), replicas=replicas)
        self.deployments[name] = Deployment(id=name, spec=spec, facts=FACTS)

    def change(self, name: str, *, wanted: Wanted | None = None, again: bool = False, **spec: object) -> None:
        old = self.deployments[name]
        changed = {"spec": old.spec.model_copy(update=spec), "wanted": wanted or old.wanted}
        generation = old.generation + (1 if again else 0)
        changed |= {"generation": generation, "revision": old.revision + 1}
        self.deployments[name] = old.model_copy(update=changed)

    def of(self, name: str) -> list[Replica]:
        return [replica for replica in self.replicas.values() if replica.deployment_id == name]

    def reconcile_replicas(self) -> bool:
        changed = [self._settle(deployment) for deployment in list(self.deployments.values())]
        return any(changed)

    def _settle(self, deployment: Deployment) -> bool:
        replicas = self.of(deployment.id)
        if deployment.wanted is Wanted.DELETED and not replicas:
            del self.deployments[deployment.id]
            return True
        plan = decide_replicas(deployment, replicas)
        for index in plan.create:
            self.counter += 1
            identity = f"r{self.counter}"
            self.replicas[identity] = Replica(
                id=identity,
                deployment_id=deployment.id,
                generation=deployment.generation,
                index=index,
                spec=deployment.spec,
                facts=FACTS,
                created_at=self.counter,
            )
        for identity in plan.remove:
            del self.replicas[identity]
        for identity in plan.stop:
            assignment = self.replicas[identity].assignment
            assert assignment is not None
            self._update(identity, stop_revision=self._raise_revision(assignment.node_id))
        return bool(plan)

    def _update(self, identity: str, **values: object) -> None:
        self.replicas[identity] = self.replicas[identity].model_copy(update=values)

    def _raise_revision(self, node: str) -> int:
        self.nodes[node].desired_revision += 1
        return self.nodes[node].desired_revision

    def reconcile_placement(self, now: float) -> bool:
        changed = False
        for replica in sorted(self.replicas.values(), key=lambda replica: replica.created_at):
            if replica.assignment is not None or replica.stopping:
                continue
            found = self.find_place(replica, now)
            if isinstance(found, Assignment):
                self._update(replica.id, assignment=found, waiting_for=None)
                self._raise_revision(found.node_id)
                changed = True
            elif found != replica.waiting_for:
                self._update(replica.id, waiting_for=found)
                changed = True
        return changed

    def find_place(self, replica: Replica, now: float) -> Assignment | Reason:
        size, *rest = replica.spec.parameters
        ask = Ask("llama.cpp", replica.spec.placement, exclusive="exclusive" in rest)
        demand = Demand(int(size))
        kinds, fleet = (DeviceKind.NVIDIA, DeviceKind.CPU), self.fleet(now)
        cells = [
            Cell(1, tuple(fleet.rows(group).values()), lambda _: demand, kinds.index(group[1].kind))
            for group in fleet.groups
        ]
        found = choose(ask, cells)
        if found is not None:
            return found.assignment
        missing = [lack for cell in cells if (lack := nearest_lack(ask, cell))]
        best = max(missing, key=lambda lack: lack.hope, default=None)
        return best.reason if best else reason(ReasonCode.NO_NODE)

    def fleet(self, now: float) -> Fleet:
        live = [
            node.facts
            for name, node in self.nodes.items()
            if node.facts and NodeStatus(name, name, node.last_report_at).silent_for(now) is None
        ]
        counted = [one for one in self.replicas.values() if self.rules.counts_stopping or not one.stopping]
        return fleet_of(live, counted)

    def desired(self, node: str) -> DesiredState:
        table = self.nodes.get(node)
        return desired_state(node, table.desired_revision if table else 1, list(self.replicas.values()), {})

    def store_report(self, report: NodeReport, sent: Collection[str], now: float) -> bool:
        node = self.nodes.setdefault(report.node_id, NodeTable())
        if report.acked_revision < node.acked_revision:
            return False
        changed = node.facts is None or node.acked_revision != report.acked_revision
        node.facts, node.acked_revision, node.last_report_at = report.facts, report.acked_revision, now
        seen = {observation.id: observation for observation in report.replicas}
        for replica in list(self.replicas.values()):
            if replica.assignment is None or replica.assignment.node_id != report.node_id:
                continue
            if self.rules.gone(replica, report.acked_revision, seen):
                del self.replicas[replica.id]
                changed = True
            elif replica.id in seen or replica.id in sent:
                changed |= replica.observation != seen.get(replica.id)
                self._update(replica.id, observation=seen.get(replica.id))
        return changed


@dataclass(frozen=True)
class Order:
    """A desired state on its way to a node; ``life``: the agent to which it was sent."""

    desired: DesiredState
    life: int


@dataclass(frozen=True)
class Answer:
    """A report on its way back, with the ids that its order named."""

    report: NodeReport
    sent: tuple[str, ...]


class World:
    """All of it. ``orders`` and ``answers`` are in flight and nothing keeps them in order; 0 picks the newest."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.now = 1000.0
        self.server = Server(self.rules)
        self.nodes = {name: Node(name, self.rules) for name in NODES}
        self.orders: list[Order] = []
        self.answers: list[Answer] = []
        self.cut: set[str] = set()

    def send(self, node: str) -> None:
        self.orders.append(Order(self.server.desired(node), self.nodes[node].life))

    def deliver_order(self, which: int, *, keep: bool = False) -> None:
        order = self.orders[-1 - which % len(self.orders)]
        node = self.nodes[order.desired.node_id]
        if node.name in self.cut:
            return
        if not keep:
            self.orders.remove(order)
        if self.rules.fenced and order.life != node.life:
            return
        report = node.sync(order.desired)
        self.answers.append(Answer(report, tuple(replica.id for replica in order.desired.replicas)))

    def deliver_answer(self, which: int, *, keep: bool = False) -> None:
        answer = self.answers[-1 - which % len(self.answers)]
        if answer.report.node_id in self.cut:
            return
        if not keep:
            self.answers.remove(answer)
        self.server.store_report(answer.report, answer.sent, self.now)

    def exchange(self, node: str) -> bool:
        """A whole sync without trouble."""
        desired = self.server.desired(node)
        sent = [replica.id for replica in desired.replicas]
        return self.server.store_report(self.nodes[node].sync(desired), sent, self.now)

    def settle(self, rounds: int = 60) -> None:
        """Lets everything run without trouble until nothing changes any more."""
        self.cut.clear()
        self.orders.clear()
        self.answers.clear()
        for _ in range(rounds):
            changed = [self.exchange(node) for node in self.nodes]
            changed += [self.server.reconcile_replicas(), self.server.reconcile_placement(self.now)]
            changed += [node.finish_stops() for node in self.nodes.values()]
            changed += [node.restart_engines() for node in self.nodes.values()]
            if not any(changed):
                return
            self.check()
        raise AssertionError("it goes on changing")

    def check(self) -> None:
        """What must hold at every moment, in reality and on the books."""
        running = [replica for node in self.nodes.values() for replica, _ in node.processes]
        assert len(running) == len(set(running)), f"a replica runs twice: {running}"
        for node in self.nodes.values():
            _check_claims(node.name, [(name, replica.claims) for name, replica in node.ledgers.items()])
            booked = [
                (replica.id, replica.assignment.claims)
                for replica in self.server.replicas.values()
                if replica.assignment is not None and replica.assignment.node_id == node.name
            ]
            _check_claims(f"the books of {node.name}", booked)


def _check_claims(where: str, held: list[tuple[str, tuple]]) -> None:
    for device in DEVICES[where.rpartition(" ")[2]]:
        claims = [(name, claim) for name, claims in held for claim in claims if claim.device_id == device.id]
        total = sum(claim.bytes for _, claim in claims)
        assert total <= device.allocatable, f"{device.id} on {where} is overbooked: {claims}"
        alone = not device.shared or any(claim.exclusive for _, claim in claims)
        assert len(claims) <= 1 or not alone, f"{device.id} on {where} is booked twice: {claims}"
