"""Asking hubs: models by words, what a repository offers, its README, whose token it is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from aimindserve.domain.facts import Hub
from aimindserve.domain.files import HubAccess
from aimindserve.domain.hub_files import gguf_choices
from aimindserve.domain.hubs import HubAccount, HubChoice, HubListing, HubPage, HubQuery, Readme
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import Source, SourceKind
from aimindserve.domain.units import KIB
from aimindserve.sources._base import Asking, RefusedError, Resolution
from aimindserve.sources._http import HubHttp
from aimindserve.sources._hub import HubClient, Snapshot, read_text
from aimindserve.sources._hub_checkpoint import checkpoint_facts, list_checkpoint
from aimindserve.sources._hub_gguf import HUB_FAILURES, choose_gguf, gguf_facts, list_gguf
from aimindserve.sources.huggingface import HuggingFaceHub
from aimindserve.sources.modelscope import ModelScopeHub

_T = TypeVar("_T")
_CLIENTS: dict[Hub, Callable[[HubHttp], HubClient]] = {"hf": HuggingFaceHub, "ms": ModelScopeHub}
_LONGEST_README = 256 * KIB
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n.*?\r?\n---[ \t]*(\r?\n|\Z)", re.DOTALL)


class HubSource:
    """``hf://`` and ``ms://``: models that stay at a hub until a node downloads them."""

    def resolve(self, source: Source, asking: Asking) -> Resolution:
        """Facts from headers, pinned to a commit, with paths in the repository. Raises RefusedError."""
        with _client(_hub_of(source), asking.access) as client:
            snapshot = client.snapshot(source)
            choice = choose_gguf(snapshot, source)
            if choice is None:
                return checkpoint_facts(snapshot)
            return gguf_facts(snapshot, choice, asking.projector)


def search(query: HubQuery, access: HubAccess) -> HubPage | Reason:
    """One page of models, or why the hub could not be asked. Blocks."""
    return _ask(query.hub, access, lambda client: client.search(query))


def look(source: Source, access: HubAccess) -> HubListing | Reason:
    """What the repository that ``source`` names offers; the source's file and quantization are passed over. Blocks.

    A Reason when nothing is known of the repository; a listing with ``problem`` when it is known and of no use.
    """
    return _ask(_hub_of(source), access, lambda client: _listing(client.snapshot(source)))


def readme(source: Source, access: HubAccess) -> Readme | Reason:
    """The README of the repository that ``source`` names; empty when it has none. Blocks."""

    def read(client: HubClient) -> Readme:
        snapshot = client.snapshot(source)
        file = next((file for file in snapshot.files if file.path.casefold() == "readme.md"), None)
        if file is None:
            return Readme("")
        text = read_text(snapshot, file, _LONGEST_README).decode("utf-8", "replace")
        return Readme(_FRONT_MATTER.sub("", text, count=1), truncated=file.size > _LONGEST_README)

    return _ask(_hub_of(source), access, read)


def whoami(hub: Hub, access: HubAccess) -> HubAccount | Reason:
    """Whose token it is, or why the hub does not say. Blocks."""
    return _ask(hub, access, lambda client: client.whoami())


def _hub_of(source: Source) -> Hub:
    if source.kind is SourceKind.MODEL_SCOPE:
        return "ms"
    if source.kind is SourceKind.HUGGING_FACE:
        return "hf"
    raise ValueError(f"{source} is at no hub")


def _ask(hub: Hub, access: HubAccess, question: Callable[[HubClient], _T]) -> _T | Reason:
    try:
        with _client(hub, access) as client:
            return question(client)
    except RefusedError as refused:
        return refused.reason


@contextmanager
def _client(hub: Hub, access: HubAccess) -> Iterator[HubClient]:
    http = HubHttp(hub, access)
    try:
        yield _CLIENTS[hub](http)
    finally:
        http.close()


def _listing(snapshot: Snapshot) -> HubListing:
    listing = HubListing(
        hub=snapshot.hub,
        repository=snapshot.repository,
        revision=snapshot.revision,
        license=snapshot.license,
        gated=snapshot.gated,
    )
    try:
        if gguf_choices(snapshot.files):
            choices = list_gguf(snapshot)
            return replace(listing, choices=choices, notes=_notes(snapshot, choices))
        facts = checkpoint_facts(snapshot)
    except RefusedError as refused:
        if refused.reason.code in _UNKNOWN:
            raise
        return replace(listing, problem=refused.reason)
    return replace(listing, choices=(list_checkpoint(snapshot, facts),), code_files=facts.code_files)


# Then nothing more is known of the repository than that it could not be looked at.
_UNKNOWN = HUB_FAILURES - {ReasonCode.REPOSITORY_NEEDS_TOKEN, ReasonCode.TOKEN_SCOPE, ReasonCode.REPOSITORY_GATED}


def _notes(snapshot: Snapshot, choices: tuple[HubChoice, ...]) -> tuple[Reason, ...]:
    seen = any(choice.projectors for choice in choices)
    refused = all(choice.refused is not None for choice in choices)
    if snapshot.vision and not seen and not refused:
        return (reason(ReasonCode.TEXT_ONLY, repository=snapshot.repository),)
    return ()
