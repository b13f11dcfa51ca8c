"""Storage: tables, engine, units of work, migrations. SQLite by default, PostgreSQL where there are two servers."""
