"""The management server: API, page, reconcilers, database. Never touches a byte of inference."""
