"""Which code resolves which kind of source."""

from aimindserve.domain.source import Source, SourceKind
from aimindserve.sources._base import Asking, ModelSource, RefusedError, Resolution
from aimindserve.sources._hubs import HubSource
from aimindserve.sources.demo import DemoSource
from aimindserve.sources.local import LocalSource

SOURCES: dict[SourceKind, ModelSource] = {
    SourceKind.FILE: LocalSource(),
    SourceKind.DEMO: DemoSource(),
    SourceKind.HUGGING_FACE: HubSource(),
    SourceKind.MODEL_SCOPE: HubSource(),
}


def resolve(source: Source, asking: Asking | None = None) -> Resolution:
    """The facts of the model that ``source`` names, or the reason why there are none. Blocks on disk and network."""
    try:
        return SOURCES[source.kind].resolve(source, asking or Asking())
    except RefusedError as refused:
        return refused.reason
