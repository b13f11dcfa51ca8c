"""What pictures take of a deployment's context, as the API tells it."""

import httpx
from tests.server_life.life import ON_SQLITE, Life, model_facts

from aimindserve.domain.facts import VisionFacts

TOWER = VisionFacts(kind="qwen2vl_merger", width=64, patch_size=14, merge_size=2, image_size=560)
UNKNOWN = {"tokens": None, "exact": False, "seen_width": None, "seen_height": None}


async def ask(cli: httpx.AsyncClient, name: str, *sizes: tuple[int, int]) -> httpx.Response:
    pictures = [{"width": width, "height": height} for width, height in sizes]
    return await cli.post(f"/api/v1/deployments/{name}/image-tokens", json={"pictures": pictures})


@ON_SQLITE
async def test_each_picture_is_counted_as_the_deployment_runs(life: Life, cli: httpx.AsyncClient) -> None:
    await life.add()
    assert (await ask(cli, "eye", (560, 280))).json() == {"items": [UNKNOWN]}, "its tower is not known"
    await life.change(facts=model_facts().model_copy(update={"vision": TOWER}))
    large, small = (await ask(cli, "eye", (560, 280), (10, 10))).json()["items"]
    assert large == {"tokens": 200, "exact": True, "seen_width": 560, "seen_height": 280}
    assert small == {"tokens": 4, "exact": True, "seen_width": 56, "seen_height": 56}
    spec = (await life.deployment("eye")).spec
    await life.change(spec=spec.model_copy(update={"parameters": ("--image-max-tokens=50",)}))
    (less,) = (await ask(cli, "eye", (560, 280))).json()["items"]
    assert less == {"tokens": 50, "exact": True, "seen_width": 280, "seen_height": 140}


@ON_SQLITE
async def test_what_is_not_there_or_no_picture_is_refused(life: Life, cli: httpx.AsyncClient) -> None:
    await life.add()
    assert (await ask(cli, "nobody", (1, 1))).status_code == 404
    assert (await ask(cli, "eye", (0, 1))).status_code == 422
    assert (await ask(cli, "eye")).status_code == 422
