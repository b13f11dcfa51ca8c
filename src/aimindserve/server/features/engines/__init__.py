"""Engines on nodes: what there is, what can be installed."""
