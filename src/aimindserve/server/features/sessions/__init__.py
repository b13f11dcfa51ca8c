"""Who is logged in with a browser."""
