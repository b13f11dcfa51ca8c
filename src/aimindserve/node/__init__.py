"""What runs on a machine: the agent, its replicas and the only code that starts engine processes."""
