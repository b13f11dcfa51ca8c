"""``demo://``: the small model that is part of the product."""

from importlib.util import find_spec
from pathlib import Path

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.source import Source
from aimindserve.sources._base import Asking, RefusedError, Resolution
from aimindserve.sources._gguf import resolve_gguf

# The model was trained on pictures of exactly this many tokens; with any other number it sees nothing.
_IMAGE_TOKENS = {"tiny-vlm": 16}
_PACKAGE = "aimindserve.demo_model"


class DemoSource:
    """Models in the package ``aimindserve.demo_model``."""

    def resolve(self, source: Source, asking: Asking) -> Resolution:
        """The facts of the demo model ``source.location``. Raises RefusedError."""
        tokens = _IMAGE_TOKENS.get(source.location)
        path = _model_path(source.location) if tokens else None
        if path is None:
            raise RefusedError(reason(ReasonCode.DEMO_UNKNOWN, name=source.location))
        facts: ModelFacts = resolve_gguf(path, asking.projector)
        limits = {"image_tokens_min": tokens, "image_tokens_max": tokens, "name": source.location}
        return facts.model_copy(update=limits)


def _model_path(name: str) -> Path | None:
    """The demo's language model file. The package holds data only and may lack ``__init__``."""
    spec = find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        files = sorted(Path(folder).glob(f"{name}-*.gguf"))
        if files:
            return files[0]
    return None
