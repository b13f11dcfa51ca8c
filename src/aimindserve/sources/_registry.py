"""Which code resolves which kind of source."""

from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.source import Source, SourceKind
from aimindserve.sources._base import Asking, ModelSource, RefusedError, Resolution
from aimindserve.sources.demo import DemoSource
from aimindserve.sources.huggingface import HuggingFaceSource
from aimindserve.sources.local import LocalSource

SOURCES: dict[SourceKind, ModelSource] = {
    SourceKind.FILE: LocalSource(),
    SourceKind.DEMO: DemoSource(),
    SourceKind.HUGGING_FACE: HuggingFaceSource(),
}


def resolve(source: Source, asking: Asking | None = None) -> Resolution:
    """The facts of the model that ``source`` names, or the reason why there are none. Blocks on disk and network."""
    found = SOURCES.get(source.kind)
    if found is None:
        return reason(ReasonCode.SOURCE_NOT_SUPPORTED, kind=source.kind)
    try:
        return found.resolve(source, asking or Asking())
    except RefusedError as refused:
        return refused.reason
