"""What the web page costs the browser."""
