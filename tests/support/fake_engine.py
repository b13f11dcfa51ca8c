"""A llama-server that is our emulator, for tests of everything around an engine."""

import sys
from pathlib import Path


def fake_llama_server(folder: Path, *options: str, name: str = "llama-server") -> Path:
    """An executable in ``folder`` that behaves like ``llama-server`` with the emulator's ``options`` fixed."""
    program = folder / name
    arguments = " ".join(f"'{option}'" for option in options)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aimindserve.sim.fake_engine {arguments} "$@"\n')
    program.chmod(0o755)
    return program
