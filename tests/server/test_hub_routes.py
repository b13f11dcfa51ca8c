"""Search, files, README and the check of hubs, asked of emulated hubs through the API."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.server.test_code_approvals import APPROVALS
from tests.server.test_hub_models import HUB

from aimindserve.domain.facts import Hub
from aimindserve.sim.hub_data import GRANTED, NOT_LISTED, load
from aimindserve.sim.hub_files import Held, hub_file
from aimindserve.sim.hub_repositories import Repository
from aimindserve.sim.hub_server import FakeHub

GUIDE = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
GATED = "maker/gated"
WITH_CODE = "microsoft/Phi-3.5-vision-instruct"
MODELS = "/api/v1/hub/models"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    catalogue = load()
    gated = Repository(GATED, gated="manual", about={"tags": ["gguf"], "downloads": 10})
    gated.commit([hub_file("model-Q4_K_M.gguf", Held(b"GGUF"))])
    catalogue.add(gated)
    with FakeHub(catalogue) as running:
        yield running


async def use(cli: httpx.AsyncClient, hub: FakeHub, modelscope: str = NOWHERE) -> None:
    wish = {"huggingface_endpoint": hub.endpoint, "modelscope_endpoint": modelscope}
    (await cli.patch(HUB, json=wish)).raise_for_status()


async def test_search(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    await use(cli, hub)
    page = (await cli.get("/api/v1/hub/search", params={"q": "qwen2-vl-2b", "format": "gguf"})).json()
    assert page["offline"] is None
    found = next(item for item in page["items"] if item["repository"] == GUIDE)
    assert (found["source"], found["gguf"], found["engines"]) == (f"hf://{GUIDE}", True, ["llama.cpp"])
    assert "vision" in found["capabilities"]
    assert found["license"] == "apache-2.0"


async def test_a_model_that_was_looked_at_tells_in_the_results_whether_it_fits(
    cli: httpx.AsyncClient, hub: FakeHub
) -> None:
    await use(cli, hub)

    async def fit() -> str:
        page = (await cli.get("/api/v1/hub/search", params={"q": "qwen2-vl-2b", "format": "gguf"})).json()
        return next(item["fit"] for item in page["items"] if item["repository"] == GUIDE)

    assert await fit() == "unknown"
    looked = (await cli.get(f"{MODELS}/{GUIDE}/files")).json()
    default = next(choice for choice in looked["choices"] if choice["default"])
    assert await fit() == default["fit"] != "unknown"


@pytest.mark.parametrize("query", [{"sort": "size"}, {"source": "gh"}, {"min_parameters": -1}, {"nosuch": "1"}])
async def test_odd_questions_are_refused(cli: httpx.AsyncClient, query: dict[str, str]) -> None:
    answer = await cli.get("/api/v1/hub/search", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_files_of_the_guides_repository(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    await use(cli, hub)
    answer = await cli.get(f"{MODELS}/{GUIDE}/files", headers={"accept-language": "zh"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    default = next(choice for choice in found["choices"] if choice["default"])
    assert default["quantization"] == "Q4_K_M"
    assert default["source"] == f"hf://{GUIDE}@{found['revision']}:Q4_K_M"
    assert default["projector"].startswith("mmproj")
    assert default["projector"] in default["files"]
    assert default["fit"] == "unsupported", "there is no machine in this test"
    assert any("\u4e00" <= sign <= "\u9fff" for sign in default["fit_message"])
    assert (found["problem"], found["code_files"], found["code_approved"]) == (None, [], False)
    assert "vision" in found["capabilities"]
    # What the list offers can be deployed as it stands.
    made = await cli.post("/api/v1/deployments", json={"name": "eye", "source": default["source"]})
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("token", [None, NOT_LISTED])
async def test_a_gated_repository_says_what_to_do(cli: httpx.AsyncClient, hub: FakeHub, token: str | None) -> None:
    await use(cli, hub)
    if token:
        await cli.put(f"{HUB}/tokens/hf", json={"token": token})
    found = (await cli.get(f"{MODELS}/{GATED}/files")).json()
    assert found["gated"] is True
    assert GATED in found["problem"]["message"]
    assert f"{hub.endpoint}/{GATED}" in found["problem"]["remedy"]


async def test_what_is_not_there(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    await use(cli, hub)
    for path, code in (
        ("no/such/files", "repository_not_found"),
        ("no/such/readme", "repository_not_found"),
        (f"{GUIDE}/files?revision=nosuch", "revision_not_found"),
    ):
        answer = await cli.get(f"{MODELS}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (422, code), path
    assert (await cli.get(f"{MODELS}/-odd/name/files")).status_code == 422


async def test_modelscope_is_searched_and_deployed_from(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    await use(cli, hub, hub.modelscope_endpoint)
    page = (await cli.get("/api/v1/hub/search", params={"q": "qwen2-vl", "source": "ms"})).json()
    assert f"ms://{GUIDE}" in [item["source"] for item in page["items"]]
    found = (await cli.get(f"{MODELS}/{GUIDE}/files", params={"source": "ms"})).json()
    default = next(choice for choice in found["choices"] if choice["default"])
    made = await cli.post("/api/v1/deployments", json={"name": "eye", "source": default["source"]})
    assert made.status_code == 201, made.text


async def test_code_of_a_repository_is_shown_with_its_approval(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    await use(cli, hub)
    found = (await cli.get(f"{MODELS}/{WITH_CODE}/files")).json()
    assert "modeling_phi3_v.py" in found["code_files"]
    assert found["code_approved"] is False
    wish = {"hub": "hf", "repository": WITH_CODE, "revision": found["revision"]}
    assert (await cli.post(APPROVALS, json=wish)).status_code == 201
    assert (await cli.get(f"{MODELS}/{WITH_CODE}/files")).json()["code_approved"] is True


async def test_readme_comes_without_its_front_matter(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    await use(cli, hub)
    found = (await cli.get(f"{MODELS}/{GUIDE}/readme")).json()
    assert found["text"].startswith("## Llamacpp imatrix Quantizations")
    assert found["truncated"] is False


async def test_offline_is_said_at_once(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    await use(cli, hub)
    await cli.patch(HUB, json={"offline": True})
    asked = len(hub.log.requests)
    page = (await cli.get("/api/v1/hub/search", params={"q": "qwen"})).json()
    assert (page["items"], page["offline"]["code"]) == ([], "hub_offline")
    for path in ("files", "readme"):
        assert (await cli.get(f"{MODELS}/{GUIDE}/{path}")).json()["code"] == "hub_offline"
    checks = (await cli.post(f"{HUB}/check")).json()["items"]
    assert [(check["reachable"], check["problem"]["code"]) for check in checks] == [(False, "hub_offline")] * 2
    assert len(hub.log.requests) == asked


async def test_check_tells_whose_the_token_is_and_which_hub_is_silent(cli: httpx.AsyncClient, hub: FakeHub) -> None:
    async def checked() -> dict[Hub, dict[str, Any]]:
        return {check["hub"]: check for check in (await cli.post(f"{HUB}/check")).json()["items"]}

    await use(cli, hub)
    found = await checked()
    assert (found["hf"]["reachable"], found["hf"]["account"]) == (True, None)
    assert (found["ms"]["reachable"], found["ms"]["problem"]["code"]) == (False, "hub_unreachable")
    await cli.put(f"{HUB}/tokens/hf", json={"token": GRANTED})
    assert (await checked())["hf"]["account"] == "granted"
    await cli.put(f"{HUB}/tokens/hf", json={"token": "hf_nobody_knows_this"})
    found = await checked()
    assert (found["hf"]["reachable"], found["hf"]["problem"]["code"]) == (True, "token_invalid")


async def test_code_of_a_model_is_confirmed_for_one_commit_before_anything_is_deployed(
    cli: httpx.AsyncClient, hub: FakeHub
) -> None:
    await use(cli, hub)
    spec = {"name": "phi", "source": f"hf://{WITH_CODE}", "parameters": ["--trust-remote-code"]}
    refused = await cli.post("/api/v1/deployments", json=spec)
    assert (refused.status_code, refused.json()["code"]) == (409, "remote_code_unconfirmed")
    told = refused.json()["params"]
    wish = {key: told[key] for key in ("hub", "repository", "revision")}
    other = {**wish, "revision": "0" * 40}
    assert (await cli.post(APPROVALS, json=other)).status_code == 201
    assert (await cli.post("/api/v1/deployments", json=spec)).status_code == 409
    assert (await cli.post(APPROVALS, json=wish)).status_code == 201
    deployed = await cli.post("/api/v1/deployments", json=spec)
    assert deployed.status_code == 201, deployed.text
