"""Logs of replicas."""
