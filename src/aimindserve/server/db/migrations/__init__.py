"""Alembic's scripts. ``REVISIONS`` names them in order, so that a start at the newest schema need not load Alembic."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
HEAD = REVISIONS[-1]
