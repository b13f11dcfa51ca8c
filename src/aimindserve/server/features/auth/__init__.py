"""Logging in and out, the forced change of the initial password."""
