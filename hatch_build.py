"""Build hook: a wheel carries the built page, so that a user never needs Node."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """Builds ``src/aimindserve/ui_dist`` unless it is there or ``AIMINDSERVE_SKIP_UI=1`` is set."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Called by hatchling before it collects files; an editable build needs no page."""
        root = Path(self.root)
        built = root / "src" / "aimindserve" / "ui_dist" / "index.html"
        if version == "editable" or os.environ.get("AIMINDSERVE_SKIP_UI") == "1" or built.is_file():
            return
        subprocess.run([sys.executable, root / "scripts" / "bootstrap.py", "ui"], check=True, cwd=root)
