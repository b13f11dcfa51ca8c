"""What people asked for: make, look at, change, stop, delete."""
