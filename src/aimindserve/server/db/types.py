"""Column types. Times are Unix seconds (UTC) as double precision, as everywhere in the domain."""

from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import JSON, Dialect, Double
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

Seconds = Double
"""Unix seconds, microseconds kept."""

PLAIN_JSON = JSON().with_variant(JSONB(), "postgresql")
"""JSON as it is: objects, lists, strings, numbers."""


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


class Shaped(TypeDecorator[Any]):
    """A domain shape (pydantic model, dataclass, tuple, enum …) stored as JSON and read back as that shape.

    Values are immutable: assign a new one instead of changing one in place, or the change is not stored.
    """

    impl = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    cache_ok = True

    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.shape = shape

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else _adapter(self.shape).dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else _adapter(self.shape).validate_python(value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return cast("Any", self.impl).coerce_compared_value(op, value)
