"""Families and variants in the shapes and the language of the request."""

from collections.abc import Sequence

from aimindserve.domain.catalog import CatalogFamily, CatalogModel, CatalogVariant, needed_parameters, variant_id
from aimindserve.domain.catalog_choice import Choice
from aimindserve.domain.facts import Hub, ModelFacts
from aimindserve.domain.reasons import Language
from aimindserve.domain.views_catalog import CatalogCardView, CatalogVariantView
from aimindserve.server.errors import reason_view
from aimindserve.server.fitting import Mark
from aimindserve.server.plan_views import LEVELS

Described = tuple[CatalogModel, CatalogVariant, ModelFacts]


def card_view(
    family: CatalogFamily,
    variants: Sequence[tuple[Described, Mark]],
    choice: Choice,
    hub: Hub,
    language: Language,
) -> CatalogCardView:
    """A family; ``variants`` with how each of them fits."""
    shown = tuple(_variant_view(family, one, mark, hub, language) for one, mark in variants)
    best = shown[choice.index or 0]
    return CatalogCardView(
        name=family.name,
        title=family.title,
        publisher=family.publisher.of(language),
        description=family.description.of(language),
        notes=family.notes.of(language) if family.notes else "",
        capabilities=family.capabilities,
        license=best.license,
        gated=best.gated,
        best=best.id,
        fit=best.fit,
        why=choice.why,
        variants=shown,
    )


def _variant_view(
    family: CatalogFamily, described: Described, mark: Mark, hub: Hub, language: Language
) -> CatalogVariantView:
    model, variant, facts = described
    return CatalogVariantView(
        id=variant_id(model, variant),
        model=model.name,
        source=variant.source_near(hub),
        arguments=needed_parameters(model, variant),
        parameters=model.parameters,
        active=model.active,
        quantization=variant.quantization,
        bits=variant.bits,
        engine=variant.engine,
        engine_versions=model.vllm if variant.engine == "vllm" else None,
        context_length=facts.context_length,
        download=facts.weight_bytes + facts.projector_bytes,
        license=family.license_of(model),
        gated=family.is_gated(variant),
        code=model.code and variant.engine == "vllm",
        uncertain=tuple(dict.fromkeys((*model.uncertain, *variant.uncertain))),
        fit=mark.fit,
        fit_message=reason_view(mark.why, language).message if mark.why else "",
        memory_high=mark.claimed,
        gpus=mark.gpus,
        level=LEVELS[mark.level] if mark.level is not None else None,
    )
