"""From a source to the facts of its model and the plan of its files, and asking hubs. Everything here blocks.

One file for each kind of source: ``local``, ``demo``, ``huggingface``, ``modelscope``; ``folder`` for what is brought
from one of them on a disk."""

from aimindserve.sources._base import Asking, ModelSource, Resolution
from aimindserve.sources._hubs import look, readme, search, whoami
from aimindserve.sources._registry import resolve
from aimindserve.sources.folder import Brought, brought_facts, look_into

__all__ = [
    "Asking",
    "Brought",
    "ModelSource",
    "Resolution",
    "brought_facts",
    "look",
    "look_into",
    "readme",
    "resolve",
    "search",
    "whoami",
]
