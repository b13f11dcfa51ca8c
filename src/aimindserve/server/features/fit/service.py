"""The fit preview: reads the model's header, decides as the reconcilers would, and changes nothing."""

from collections.abc import Sequence

from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Language, Reason
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.views_fit import FitReport
from aimindserve.engines._registry import with_assumed_engines
from aimindserve.server.context import ServerContext
from aimindserve.server.errors import reason_view
from aimindserve.server.fit_report import refused_for, report, wants_other_forms
from aimindserve.server.fit_trials import Stage
from aimindserve.server.fitting import stage_now
from aimindserve.server.model_facts import read_facts, unconfirmed_code
from aimindserve.server.other_forms import known_forms


async def preview(
    context: ServerContext, spec: DeploymentSpec, fleet: Sequence[NodeFacts] | None, language: Language
) -> FitReport:
    """What deploying ``spec`` would mean on the machines that are there, or on an imagined ``fleet``."""
    facts = await read_facts(context, spec)
    if isinstance(facts, Reason):
        return FitReport(verdict="no", reasons=(reason_view(facts, language),))
    if fleet is not None:
        stage = Stage([with_assumed_engines(node) for node in fleet], (), context.settings.llama_threads)
    else:
        stage = await stage_now(context, spec.name, with_tenants=True)
    found = report(spec, facts, stage, language)
    if wants_other_forms(found):
        choices = await known_forms(context, spec.parsed_source, facts)
        found = report(spec, facts, stage, language, choices) if choices else found
    return refused_for(found, await unconfirmed_code(context, facts), language)
