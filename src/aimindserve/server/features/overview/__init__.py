"""The whole at one look, and figures over time."""
