"""The API's description is complete, and the file that the page's client comes from is not stale."""

import json
from pathlib import Path
from typing import Any

import pytest

from aimindserve.server.app import create_routes
from aimindserve.server.openapi import describe

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(create_routes())


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_committed_description_is_what_the_code_says(document: dict[str, Any]) -> None:
    committed = json.loads((ROOT / "ui" / "openapi.json").read_text())
    assert committed == document, "ui/openapi.json is stale: run make gen"


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_operation_says_what_it_does_and_how_it_refuses(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("description"), name
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"], name
        assert "422" not in operation["responses"], name


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()

    assert references(document) <= known


def test_answers_have_no_false_optionals(document: dict[str, Any]) -> None:
    """A field with a default is always in the answer, and a client must know that it is."""
    schema = document["components"]["schemas"]["Problem"]
    assert set(schema["required"]) == set(schema["properties"])
