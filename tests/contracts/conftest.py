from tests.server.fixtures import app, clock, context, data_dir, settings

__all__ = ["app", "clock", "context", "data_dir", "database_url", "settings"]

import pytest


@pytest.fixture
def database_url() -> str:
    """Contracts do not depend on the database: SQLite."""
    return ""
