"""Stand-ins for the server and the gateway: real processes that do as they are told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# argv: FILE MODE. Appends its pid to FILE, then: `stay` until TERM, `stubborn` through TERM, or ends with a code.
PROGRAM = """
import os, signal, sys, time
path, mode = sys.argv[1:3]
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(path, "a") as out:
    out.write(f"{os.getpid()}\\n")
if mode in ("stay", "stubborn"):
    while True:
        time.sleep(60)
sys.exit(int(mode))
"""


def argv_of(record: Path, mode: str) -> list[str]:
    """The command of a stand-in that writes its pid to ``record``."""
    return [sys.executable, "-c", PROGRAM, str(record), mode]


def pids_in(record: Path) -> list[int]:
    """The pids of all lives of a stand-in, in order."""
    return [int(line) for line in record.read_text().split()] if record.exists() else []


def settings_in(folder: Path, port: int, **more: Any) -> dict[str, Any]:
    """Settings as the supervisor reads them."""
    return {"host": "127.0.0.1", "port": port, "data_dir": str(folder), "gateway_processes": 1, **more}


def write_settings(folder: Path, settings: dict[str, Any]) -> Path:
    """The settings file in a run folder."""
    run = folder / "run"
    run.mkdir(parents=True, exist_ok=True)
    file = run / "settings.json"
    file.write_text(json.dumps(settings))
    return file
