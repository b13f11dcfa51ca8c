"""Inference usage: stored once per request, summed by day and model."""
