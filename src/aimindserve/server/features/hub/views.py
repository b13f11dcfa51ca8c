"""What hubs said, in the shapes and the language of the request."""

from collections.abc import Mapping

from aimindserve.domain.hubs import HubChoice, HubListing, HubModel, HubPage, HubQuery, Readme
from aimindserve.domain.reasons import Language, Reason, ReasonCode
from aimindserve.domain.source import Source
from aimindserve.domain.views_hub import (
    ChoiceView,
    HubFilesView,
    HubModelView,
    HubSearchQuery,
    HubSearchView,
    ReadmeView,
)
from aimindserve.server.errors import reason_view
from aimindserve.server.fitting import Mark
from aimindserve.server.plan_views import LEVELS

# Why a repository that is there cannot be used: told in the listing, beside what is known of it.
PROBLEMS_OF_ACCESS = frozenset({ReasonCode.REPOSITORY_GATED, ReasonCode.REPOSITORY_NEEDS_TOKEN, ReasonCode.TOKEN_SCOPE})


def hub_query(query: HubSearchQuery) -> HubQuery:
    """The question as a hub is asked."""
    return HubQuery(
        hub=query.source,
        text=query.q.strip(),
        gguf=query.format == "gguf",
        task=query.task,
        capability=query.capability,
        sort=query.sort,
        min_parameters=query.min_parameters,
        max_parameters=query.max_parameters,
        cursor=query.cursor,
    )


def source_text(model: HubModel) -> str:
    """The source of a result's whole repository."""
    return f"{model.hub}://{model.repository}"


def search_view(page: HubPage, marks: Mapping[str, Mark | None]) -> HubSearchView:
    """A page of results; ``marks`` by source: whether a model fits, as far as that is known."""
    return HubSearchView(items=tuple(_model_view(model, marks) for model in page.items), next=page.next)


def _model_view(model: HubModel, marks: Mapping[str, Mark | None]) -> HubModelView:
    mark = marks.get(source_text(model))
    return HubModelView(
        fit=mark.fit if mark else "unknown",
        hub=model.hub,
        repository=model.repository,
        source=source_text(model),
        downloads=model.downloads,
        likes=model.likes,
        updated_at=model.updated_at,
        license=model.license,
        gated=model.gated,
        gguf=model.gguf,
        capabilities=model.capabilities,
        engines=model.engines,
        parameters=model.parameters,
        size=model.size,
    )


def files_view(
    listing: HubListing, marks: tuple[Mark | None, ...], language: Language, *, approved: bool
) -> HubFilesView:
    """A repository's choices; ``marks``: whether each of them fits, None where nobody knows."""
    facts = listing.facts
    return HubFilesView(
        hub=listing.hub,
        repository=listing.repository,
        revision=listing.revision,
        architecture=facts.architecture if facts else None,
        capabilities=facts.capabilities if facts else (),
        context_length=facts.context_length if facts else None,
        parameters=facts.parameters if facts else None,
        license=listing.license,
        gated=listing.gated,
        choices=tuple(
            _choice_view(choice, mark, language) for choice, mark in zip(listing.choices, marks, strict=True)
        ),
        code_files=listing.code_files,
        code_approved=approved,
        notes=tuple(reason_view(note, language) for note in listing.notes),
        problem=reason_view(listing.problem, language) if listing.problem else None,
    )


def closed_view(source: Source, why: Reason, language: Language) -> HubFilesView:
    """A repository that may not be looked into."""
    return HubFilesView(
        hub="ms" if source.kind == "ms" else "hf",
        repository=source.location,
        revision=source.revision or "",
        gated=True,
        problem=reason_view(why, language),
    )


def _choice_view(choice: HubChoice, mark: Mark | None, language: Language) -> ChoiceView:
    return ChoiceView(
        quantization=choice.quantization,
        source=choice.source,
        engine=choice.engine,
        files=choice.files,
        size=choice.size,
        projector=choice.projector,
        projectors=choice.projectors,
        default=choice.default,
        fit=mark.fit if mark else "unknown",
        fit_message=reason_view(mark.why, language).message if mark and mark.why else "",
        memory_high=mark.claimed if mark else None,
        level=LEVELS[mark.level] if mark and mark.level is not None else None,
        refused=reason_view(choice.refused, language) if choice.refused else None,
    )


def readme_view(readme: Readme) -> ReadmeView:
    """A README."""
    return ReadmeView(text=readme.text.lstrip("\n"), truncated=readme.truncated)
