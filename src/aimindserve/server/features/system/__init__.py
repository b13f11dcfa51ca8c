"""The running system: version, readiness, settings."""
