"""Thin typed client of the management API: used by the command line and by tests."""

from aimindserve.client.api import ApiError, Client, UnreachableError

__all__ = ["ApiError", "Client", "UnreachableError"]
