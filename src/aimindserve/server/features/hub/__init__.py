"""Repositories of model hubs: search, what they offer, whose code may run."""
