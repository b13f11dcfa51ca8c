"""What nodes reported last, in memory: what moves too fast for the database, such as how far a download is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimindserve.domain.environments import Environment, EnvironmentState
from aimindserve.domain.files import ModelState, StoredModel, TransferProgress
from aimindserve.domain.replicas import NodeReport, Replica
from aimindserve.server.events import EventBus

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOVING = (ModelState.DOWNLOADING,)
# A page that is told more often than this only flickers.
_TELL_SECONDS = 0.5


@dataclass
class Board:
    """The last report of each node. ``moves`` is woken when downloads got on, at most twice a second for each node;
    empty after a start of the server, until the nodes report."""

    reports: dict[str, NodeReport] = field(default_factory=dict[str, NodeReport])
    moves: EventBus = field(default_factory=EventBus)
    told: dict[tuple[str, str], ModelState] = field(default_factory=dict[tuple[str, str], ModelState])
    """States of models that were made events, by node and key (the files reconciler)."""
    told_environments: dict[tuple[str, str], EnvironmentState] = field(
        default_factory=dict[tuple[str, str], EnvironmentState]
    )
    """The same for environments of engines (the environments reconciler)."""
    _told_at: dict[str, float] = field(default_factory=dict[str, float])

    def put(self, report: NodeReport) -> bool:
        """Keep a report. True when a model or an environment came, went or changed its state."""
        before = self.reports.get(report.node_id)
        self.reports[report.node_id] = report
        last = self._told_at.get(report.node_id, 0.0)
        if self.progress_of(report.node_id) and not 0 <= report.at - last < _TELL_SECONDS:
            self._told_at[report.node_id] = report.at
            self.moves.wake()
        return _states(before) != _states(report)

    def environment(self, node_id: str, key: str) -> Environment | None:
        """An environment of an engine as its node last saw it."""
        report = self.reports.get(node_id)
        return next((one for one in report.environments if one.key == key), None) if report else None

    def model(self, node_id: str, key: str) -> StoredModel | None:
        """A model's files as their node last saw them."""
        report = self.reports.get(node_id)
        return next((model for model in report.models if model.key == key), None) if report else None

    def progress_of(self, node_id: str) -> dict[str, TransferProgress]:
        """What is downloaded on a node now, by key."""
        report = self.reports.get(node_id)
        return {model.key: model.progress for model in report.models if model.state in _MOVING} if report else {}

    def downloads_of(self, node_id: str) -> dict[str, TransferProgress]:
        """How far the files of replicas that wait for them are, by replica."""
        report = self.reports.get(node_id)
        return {seen.id: seen.download for seen in report.replicas if seen.download} if report else {}

    def stages_of(self, node_id: str) -> dict[str, tuple[str, float | None]]:
        """The stage that each start on a node has come to, and the tenths of it that are done, by replica."""
        report = self.reports.get(node_id)
        doing = {seen.id: seen.doing for seen in report.replicas if seen.doing} if report else {}
        return {key: (one.stage, None if one.share is None else round(one.share, 1)) for key, one in doing.items()}

    def with_downloads(self, replicas: "Iterable[Replica]") -> Iterator[Replica]:
        """Replicas as stored, with how far their downloads are."""
        known = {key: value for node in self.reports for key, value in self.downloads_of(node).items()}
        for replica in replicas:
            seen, download = replica.observation, known.get(replica.id)
            if seen is None or download is None:
                yield replica
            else:
                yield replica.model_copy(update={"observation": seen.model_copy(update={"download": download})})


def _states(report: NodeReport | None) -> dict[str, ModelState | EnvironmentState]:
    if report is None:
        return {}
    models = {model.key: model.state for model in report.models}
    return {**models, **{one.key: one.state for one in report.environments}}
