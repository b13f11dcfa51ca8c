"""What Prometheus asks of the management server."""
