"""The engine's own count of what it gave out, on disk, so that a test can hold other counts against it."""

import json
import os
from pathlib import Path


class Ledger:
    """Lines that add up: request id, prompt tokens that it has told, tokens that it has sent. A line is written just
    before what it counts goes out, in the same step, so that no death of the process comes between."""

    def __init__(self, file: Path | None) -> None:
        self._handle = -1
        if file is not None:
            self._handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, request_id: str, *, prompt: int = 0, completion: int = 0) -> None:
        """Add to the count of one request."""
        if self._handle >= 0:
            line = json.dumps({"id": request_id, "prompt": prompt, "completion": completion})
            os.write(self._handle, line.encode() + b"\n")


def read_ledger(file: Path) -> dict[str, tuple[int, int]]:
    """(prompt tokens told, tokens sent) of each request id in ``file``."""
    counts: dict[str, tuple[int, int]] = {}
    for line in file.read_text().splitlines():
        entry = json.loads(line)
        prompt, completion = counts.get(entry["id"], (0, 0))
        counts[entry["id"]] = (prompt + entry["prompt"], completion + entry["completion"])
    return counts
