"""The seam between one machine and many."""
