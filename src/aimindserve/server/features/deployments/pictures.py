"""What pictures take of a deployment's context, by the arithmetic that its memory is estimated with."""

from collections.abc import Sequence

from aimindserve.domain.image_tokens import image_cost, resized_to
from aimindserve.domain.views_pictures import ImageTokensView, PictureSize
from aimindserve.engines._registry import ENGINES
from aimindserve.server.context import ServerContext
from aimindserve.server.features.deployments.service import find
from aimindserve.server.features.deployments.views import plan_for


async def image_tokens(
    context: ServerContext, name: str, pictures: Sequence[PictureSize]
) -> tuple[ImageTokensView, ...]:
    """One answer for each picture, as the deployment of this name runs or would run.

    Raises:
        RefusedError: no such deployment.
    """
    seen = await find(context, name)
    facts = seen.deployment.facts
    plan = plan_for(seen.deployment, seen.world, context.settings.llama_threads)
    if facts is None or plan is None:
        return tuple(ImageTokensView() for _ in pictures)
    sight = ENGINES[plan.engine].sight(facts, plan.parameters)
    answers: list[ImageTokensView] = []
    for picture in pictures:
        cost = image_cost(sight.facts, picture.width, picture.height)
        size = resized_to(sight.facts, picture.width, picture.height)
        answers.append(
            ImageTokensView(
                tokens=cost.tokens if cost else None,
                exact=cost is not None and sight.exact,
                seen_width=size[0] if size else None,
                seen_height=size[1] if size else None,
            )
        )
    return tuple(answers)
