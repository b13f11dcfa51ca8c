from tests.server.fixtures import (
    admin,
    anonymous,
    app,
    cli,
    clock,
    context,
    data_dir,
    database_url,
    fresh_admin,
    postgres,
    settings,
    stranger,
)

__all__ = [
    "admin",
    "anonymous",
    "app",
    "cli",
    "clock",
    "context",
    "data_dir",
    "database_url",
    "fresh_admin",
    "postgres",
    "settings",
    "stranger",
]
