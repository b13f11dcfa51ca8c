"""Inference usage, summed by day and model."""
