"""Backups: made while the server runs, verified by restoring them, put back whole; and the way to another database."""
