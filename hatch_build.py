"""Build hook: a wheel carries the built page, so that a user never needs Node, and its list of parts (SBOM)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """Builds ``src/aimindserve/ui_dist`` unless it is there or ``AIMINDSERVE_SKIP_UI=1`` is set."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files; an editable build needs neither page nor list."""
        if version == "editable":
            return
        root = Path(self.root)
        build_data["sbom_files"].append(self._write_sbom(root))
        built = root / "src" / "aimindserve" / "ui_dist" / "index.html"
        if os.environ.get("AIMINDSERVE_SKIP_UI") == "1" or built.is_file():
            return
        subprocess.run([sys.executable, root / "scripts" / "bootstrap.py", "ui"], check=True, cwd=root)

    def _write_sbom(self, root: Path) -> str:
        """The list of parts as a file; its path from the root, as hatchling takes it."""
        made = subprocess.run([sys.executable, root / "scripts" / "sbom.py"], check=True, cwd=root, capture_output=True)
        file = root / ".cache" / "aimindserve.cdx.json"
        file.parent.mkdir(exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_bytes(made.stdout)
        beside.replace(file)  # another build at the same time reads a whole file
        return str(file.relative_to(root))
