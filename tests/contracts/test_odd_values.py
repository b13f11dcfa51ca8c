"""Values of wrong kinds in every place of every body: an answer in our shape, never a defect."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp
from tests.contracts.routes import all_routes
from tests.server.fixtures import client_of, local_key

from aimindserve.server.app import create_routes
from aimindserve.server.context import ServerContext
from aimindserve.server.openapi import describe

ODD: list[Any] = [
    None,
    0,
    -1,
    1e308,
    10**400,
    True,
    "",
    "x" * 10_000,
    "\x00",
    "\ud800",
    "../..",
    "😀",
    [],
    {},
    [[]],
    [None],
    {"a": []},
]
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/deployments": {
        "name": "odd",
        "source": "demo://nosuchmodel",
        "engine": "auto",
        "engine_version": None,
        "parameters": ["--ctx-size=512"],
        "replicas": 0,
        "placement": {"nodes": [], "devices": []},
        "env": {"A": "b"},
    },
    "/api/v1/fit": {"name": "odd", "source": "demo://nosuchmodel"},
    "/api/v1/users": {"username": "odd", "password": "a long passphrase", "role": "user"},
    "/api/v1/session": {"username": "odd", "password": "a long passphrase"},
    "/api/v1/keys": {"name": "odd", "scopes": ["inference"], "models": ["a"], "expires_in": 60},
    "/api/v1/engines": {
        "engine": "vllm",
        "version": "0.33.0",
        "variant": "cuda",
        "nodes": ["one"],
        "wheels": "/nowhere",
    },
    "/api/v1/engines/register": {"engine": "vllm", "path": "/nowhere/vllm", "node": "one"},
    "/api/v1/files/import": {"path": "/nowhere", "source": "hf://a/b", "projector": "none", "node": "one"},
    "/api/v1/files": {"source": "demo://nosuchmodel", "projector": "none", "nodes": ["one"]},
    "/api/v1/hub/approvals": {"hub": "hf", "repository": "some/model", "revision": "0123abcd"},
}


def variants(body: dict[str, Any]) -> Iterator[Any]:
    """``body`` with one value replaced, at every place and by every odd value; and odd values in its stead."""
    yield from ODD
    for name, proper in body.items():
        for value in ODD:
            yield {**body, name: value}
            if isinstance(proper, list):
                yield {**body, name: [value]}
            if isinstance(proper, dict):
                yield {**body, name: dict.fromkeys([*proper, "X"], value)}


def test_every_route_with_a_body_is_covered() -> None:
    """A new route that takes a body is a line in ``BODIES`` (or in the list below, with its reason)."""
    paths = describe(create_routes())["paths"]
    taking = {path for path, methods in paths.items() if "requestBody" in methods.get("post", {})}
    needing_a_session = {"/api/v1/session/password"}
    needing_a_deployment = {"/api/v1/deployments/{name}/scale", "/api/v1/deployments/{name}/image-tokens"}
    elsewhere = needing_a_session | needing_a_deployment
    assert taking == set(BODIES) | elsewhere
    assert {route.path for route in all_routes()} >= set(BODIES)


@pytest.mark.parametrize(("path", "proper"), BODIES.items())
async def test_odd_bodies(path: str, proper: dict[str, Any], app: ASGIApp, context: ServerContext) -> None:
    headers = {"content-type": "application/json"}
    async with client_of(app, local_key(context)) as client:
        for number, body in enumerate(variants(proper)):
            # A new address each time, so that the limit on logins does not answer in place of the check.
            address = {"x-forwarded-for": f"10.0.{number // 250}.{number % 250}"}
            answer = await client.post(path, content=json.dumps(body), headers=headers | address)
            told = f"{path} {json.dumps(body)[:300]} → {answer.status_code} {answer.text[:300]}"
            assert answer.status_code < 500, told
            if answer.status_code >= 400:
                assert answer.json()["remedy"], told
