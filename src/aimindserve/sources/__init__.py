"""From a source to the facts of its model and the plan of its files, and asking hubs. Everything here blocks.

One file for each kind of source: ``local``, ``demo``, ``huggingface``, ``modelscope``."""

from aimindserve.sources._base import Asking, ModelSource, Resolution
from aimindserve.sources._hubs import look, readme, search, whoami
from aimindserve.sources._registry import resolve

__all__ = ["Asking", "ModelSource", "Resolution", "look", "readme", "resolve", "search", "whoami"]
