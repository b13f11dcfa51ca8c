"""What happened: history and live stream."""
