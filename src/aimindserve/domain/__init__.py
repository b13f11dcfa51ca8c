"""Pure decisions and the shapes they work on: standard library and pydantic only, no I/O, no clock."""
