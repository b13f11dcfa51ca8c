"""Small real implementations of what tests and previews cannot have: engines, hardware, nodes."""
