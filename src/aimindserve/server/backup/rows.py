"""Rows from one database to another, whatever the schema's revision: tables as they are found, JSON as its own text.

JSON goes as text because a database's JSON has two kinds of nothing (NULL and ``null``), which a value in Python does
not tell apart."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Double,
    Float,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    cast,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy import bindparam as bind

from aimindserve.domain.archives import TableSum
from aimindserve.server.db.migrate import noted_tables
from aimindserve.server.db.tables import Base

_ROWS = 500
_VERSION_TABLE = "alembic_version"


def found_tables(connection: Connection) -> list[Table]:
    """The tables that are there, those that others refer to first; without the one that holds the revision."""
    metadata = _reflected(connection)
    return [table for table in metadata.sorted_tables if table.name != _VERSION_TABLE]


def _reflected(connection: Connection) -> MetaData:
    """What is there of our tables, those of a newer version included; another program's in the same database are left
    alone."""
    metadata = MetaData()
    ours = {*Base.metadata.tables, *noted_tables(connection), _VERSION_TABLE}
    metadata.reflect(connection, only=[name for name in inspect(connection).get_table_names() if name in ours])
    return metadata


def sum_tables(connection: Connection) -> dict[str, TableSum]:
    """Number and checksum of each table's rows."""
    return {table.name: _sum(connection, table) for table in found_tables(connection)}


def _sum(connection: Connection, table: Table) -> TableSum:
    """The digests of rows are added up, so that the order in which a database gives them does not matter."""
    columns = sorted(table.columns, key=lambda column: column.name)
    forms = [_canonical_form(column) for column in columns]
    rows, total = 0, 0
    for batch in _batches(connection, columns):
        for row in batch:
            values = [None if value is None else form(value) for form, value in zip(forms, row, strict=True)]
            total += int.from_bytes(hashlib.sha256(json.dumps(values).encode()).digest(), "big")
        rows += len(batch)
    return TableSum(rows=rows, sha256=f"{total % 2**256:064x}")


def _batches(connection: Connection, columns: Sequence[Column[Any]]) -> Iterator[Sequence[Row[Any]]]:
    """Rows, some at a time; JSON as text."""
    asked = [cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column for column in columns]
    yield from connection.execution_options(stream_results=True).execute(select(*asked)).partitions(_ROWS)


def _canonical_form(column: Column[Any]) -> Callable[[Any], Any]:
    """What makes a value of a column the same, whichever database gives it."""
    if isinstance(column.type, JSON):
        return lambda value: ["json", _plain(json.loads(value))]
    if isinstance(column.type, LargeBinary):
        return lambda value: bytes(value).hex()
    if isinstance(column.type, Boolean):
        return int
    return float if isinstance(column.type, Double | Float) else lambda value: value


def _plain(value: Any) -> Any:
    """JSON with sorted names, and whole numbers without a fraction: SQLite and PostgreSQL write them differently."""
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def copy_tables(source: Connection, target: Connection) -> None:
    """All rows of ``source`` into the same, empty tables of ``target``. What ``target`` has no table for is another
    program's.

    Raises:
        SQLAlchemyError: a value cannot be stored there.
    """
    there = {table.name: table for table in found_tables(target)}
    for table in (one for one in found_tables(source) if one.name in there):
        into = there[table.name]
        values = {
            column.name: cast(bind(column.name, type_=Text), into.columns[column.name].type)
            if isinstance(column.type, JSON)
            else bind(column.name, type_=into.columns[column.name].type)
            for column in table.columns
        }
        if target.dialect.name == "sqlite":  # its JSON is text, and a cast to it would make a number of it
            values = {name: bind(name, type_=_as_text(into.columns[name])) for name in values}
        names = list(values)
        for batch in _batches(source, list(table.columns)):
            target.execute(insert(into).values(values), [dict(zip(names, row, strict=True)) for row in batch])
    if target.dialect.name == "postgresql":
        _set_sequences(target, list(there.values()))


def _as_text(column: Column[Any]) -> Any:
    return Text() if isinstance(column.type, JSON) else column.type


def _set_sequences(connection: Connection, tables: list[Table]) -> None:
    """The next row of a table with numbered rows gets a number above those that were copied."""
    for table in tables:
        for column in table.primary_key.columns:
            name = connection.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
            if name is not None:
                highest = connection.scalar(select(func.max(column)))
                connection.execute(select(func.setval(name, highest or 1, highest is not None)))


def has_tables(connection: Connection) -> bool:
    """Whether the database holds a schema of ours."""
    return inspect(connection).has_table(_VERSION_TABLE)


def drop_tables(connection: Connection) -> None:
    """Remove our tables, their rows with them."""
    _reflected(connection).drop_all(connection)


def revision_of(connection: Connection) -> str | None:
    """The schema's revision, None for an empty database."""
    if not has_tables(connection):
        return None
    return connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608  # our own constant
