"""The API's description: what FastAPI derives from the routes, with our one error answer."""

from typing import Any

from fastapi import FastAPI

from aimindserve.domain.views import Problem


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document (a fresh copy)."""
    document = dict(app.openapi())
    schemas: dict[str, Any] = document["components"]["schemas"]
    schemas |= _schemas_of_problem()
    # Validation errors are problems here, like every other refusal.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    return document


def _schemas_of_problem() -> dict[str, Any]:
    schema = Problem.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    inner: dict[str, Any] = schema.pop("$defs", {})
    return {**inner, "Problem": schema}
