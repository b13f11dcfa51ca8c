"""Deploying from a hub: facts are read before anything is stored, kept, and enough when the hub is gone."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.server.test_code_approvals import APPROVALS
from tests.server.test_hub_facts import facts_at
from tests.support.gguf_files import write_model, write_projector
from tests.support.hub_server import REVISION, TOKEN, Hub, serving

from aimindserve.domain.facts import ModelFormat
from aimindserve.domain.reasons import ReasonCode
from aimindserve.server.context import ServerContext
from aimindserve.server.model_facts import unconfirmed_code

REPOSITORY = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
SOURCE = f"hf://{REPOSITORY}"
HUB = "/api/v1/settings/hub"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    model = write_model(tmp_path / "model.gguf").read_bytes()
    projector = write_projector(tmp_path / "mmproj.gguf").read_bytes()
    files = {f"Qwen2-VL-2B-Instruct-{tag}.gguf": model for tag in ("Q4_K_M", "Q8_0")}
    files["mmproj-Qwen2-VL-2B-Instruct-f16.gguf"] = projector
    with serving(Hub(files, repository=REPOSITORY)) as served:
        yield served


async def use(cli: httpx.AsyncClient, hub: Hub) -> None:
    (await cli.patch(HUB, json={"huggingface_endpoint": hub.endpoint})).raise_for_status()


async def test_a_quantization_is_deployed_with_its_projector_pinned(cli: httpx.AsyncClient, hub: Hub) -> None:
    await use(cli, hub)
    made = await cli.post("/api/v1/deployments", json={"name": "eye", "source": f"{SOURCE}:Q8_0"})
    assert made.status_code == 201, made.text
    assert (made.json()["architecture"], made.json()["capabilities"]) == ("qwen2vl", ["chat", "vision"])


async def test_the_second_look_costs_no_request_and_little_time(cli: httpx.AsyncClient, hub: Hub) -> None:
    await use(cli, hub)
    for source in (SOURCE, f"{SOURCE}@{REVISION}"):
        first = (await cli.post("/api/v1/fit", json={"source": source})).json()
        assert first["architecture"] == "qwen2vl"
        asked = hub.asked + hub.requests
        took: list[float] = []
        for _ in range(5):
            began = time.monotonic()
            assert (await cli.post("/api/v1/fit", json={"source": source})).json() == first
            took.append(time.monotonic() - began)
        assert hub.asked + hub.requests == asked
        assert min(took) < 0.3  # the machine may have other work meanwhile


async def test_what_is_known_deploys_offline_and_the_rest_says_so_at_once(cli: httpx.AsyncClient, hub: Hub) -> None:
    await use(cli, hub)
    (await cli.post("/api/v1/fit", json={"source": SOURCE})).raise_for_status()
    (await cli.patch(HUB, json={"offline": True})).raise_for_status()
    asked = hub.asked + hub.requests
    made = await cli.post("/api/v1/deployments", json={"name": "eye", "source": SOURCE})
    assert made.status_code == 201, made.text
    refused = await cli.post("/api/v1/deployments", json={"name": "other", "source": f"{SOURCE}:Q8_0"})
    assert (refused.status_code, refused.json()["code"]) == (422, "hub_offline")
    assert hub.asked + hub.requests == asked


async def test_the_stored_token_opens_a_gated_model(cli: httpx.AsyncClient, hub: Hub) -> None:
    hub.gated = True
    await use(cli, hub)
    body = {"name": "eye", "source": SOURCE}
    for token, code in ((None, "repository_needs_token"), ("hf_a_wrong_token", "token_invalid")):
        if token:
            await cli.put(f"{HUB}/tokens/hf", json={"token": token})
        refused = await cli.post("/api/v1/deployments", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        assert "hf_a_wrong" not in refused.text
    await cli.put(f"{HUB}/tokens/hf", json={"token": TOKEN})
    assert (await cli.post("/api/v1/deployments", json=body)).status_code == 201
    assert hub.leaked == 0


async def test_code_runs_only_for_the_commit_that_was_confirmed(context: ServerContext, cli: httpx.AsyncClient) -> None:
    files = tuple(f"code_{number}.py" for number in range(7))
    brings = facts_at("1" * 40).model_copy(update={"format": ModelFormat.SAFETENSORS, "code_files": files})
    refused = await unconfirmed_code(context, brings)
    assert refused is not None
    assert refused.code is ReasonCode.REMOTE_CODE_UNCONFIRMED
    assert refused.params["files"] == "code_0.py, code_1.py, code_2.py, code_3.py, code_4.py (+2)"
    wish = {name: refused.params[name] for name in ("hub", "repository", "revision")}
    assert (await cli.post(APPROVALS, json=wish)).status_code == 201
    assert await unconfirmed_code(context, brings) is None
    newer = facts_at("2" * 40).model_copy(update={"format": ModelFormat.SAFETENSORS, "code_files": files})
    assert await unconfirmed_code(context, newer) is not None


async def test_no_code_no_question(context: ServerContext) -> None:
    brings = facts_at("1" * 40).model_copy(update={"code_files": ("x.py",)})
    assert await unconfirmed_code(context, brings) is None, "llama.cpp runs none"
    plain = facts_at("1" * 40).model_copy(update={"format": ModelFormat.SAFETENSORS})
    assert await unconfirmed_code(context, plain) is None
