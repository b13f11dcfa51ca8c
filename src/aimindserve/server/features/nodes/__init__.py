"""Machines and their devices."""
