"""Writes the API's description to ui/openapi.json, from which the page's client is generated (``make gen``)."""

import json
import sys
from pathlib import Path

from aimindserve.server.app import create_routes
from aimindserve.server.openapi import describe

TARGET = Path(__file__).parent.parent / "ui" / "openapi.json"


def document() -> str:
    """The description as text: stable order, one final newline."""
    return json.dumps(describe(create_routes()), indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def main() -> int:
    """0, or with ``--check`` 1 when the file is not what it would be now."""
    fresh = document()
    if "--check" in sys.argv[1:]:
        stale = not TARGET.exists() or TARGET.read_text() != fresh
        if stale:
            print(f"{TARGET.name} is stale: run make gen")
        return int(stale)
    TARGET.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
