"""``POST /fit``: a preview without any effect."""

from fastapi import Request
from pydantic import ConfigDict, Field

from aimindserve.domain.access import Policy
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.specs import DeploymentName, DeploymentSpec
from aimindserve.domain.views_fit import FitReport
from aimindserve.server.context import Context
from aimindserve.server.errors import language
from aimindserve.server.features.fit import service
from aimindserve.server.guards import feature_router, requires

router = feature_router("fit")


class FitRequest(DeploymentSpec):
    """Body of ``POST /fit``: a spec, and machines to imagine instead of those that are there (where one names no
    engine, every engine is assumed to be installed)."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    name: DeploymentName = "preview"
    fleet: tuple[NodeFacts, ...] | None = Field(default=None, max_length=64)

    @property
    def spec(self) -> DeploymentSpec:
        """The spec alone."""
        return DeploymentSpec.model_validate(self.model_dump(exclude={"fleet"}))


@router.post("/fit")
@requires(Policy.OPERATOR)  # as deploying; the answer tells what lies at a path of this machine
async def fit(body: FitRequest, request: Request, context: Context) -> FitReport:
    """Whether a spec fits, with its memory, its parameters and what would make it fit. Nothing is changed."""
    return await service.preview(context, body.spec, body.fleet, language(request))
