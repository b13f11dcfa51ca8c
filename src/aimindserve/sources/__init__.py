"""From a source to the facts of its model and the plan of its files. One file for each kind of source."""

from aimindserve.sources._base import Asking, ModelSource, Resolution
from aimindserve.sources._registry import resolve

__all__ = ["Asking", "ModelSource", "Resolution", "resolve"]
