"""The public port: inference requests to engines, everything else to the server. Raw asyncio protocols."""
