"""What deploying a spec would mean, before anything is done."""
