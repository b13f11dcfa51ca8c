"""Wheels to install: the one of this tree, and others made of it."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

Edit = Callable[[str, str], str]
"""Takes the name of a text file inside the package and its content; gives the content that it has from now on."""


def altered(wheel: Path, folder: Path, version: str, edit: Edit = lambda _name, text: text) -> Path:
    """A copy of ``wheel`` in ``folder`` that is ``version``, with some of its Python files changed."""
    old = wheel.name.split("-")[1]
    target = folder / wheel.name.replace(f"-{old}-", f"-{version}-")
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            content = source.read(name)
            renamed = name.replace(f"aimindserve-{old}.dist-info", f"aimindserve-{version}.dist-info")
            if name.endswith((".py", "METADATA", "RECORD")):
                text = content.decode().replace(f"aimindserve-{old}.dist-info", f"aimindserve-{version}.dist-info")
                content = edit(name, _renumbered(name, text, old, version)).encode()
            copy.writestr(renamed, content)
    return target


def _renumbered(name: str, text: str, old: str, version: str) -> str:
    """The text with its own statement of the version changed. Hashes in RECORD go: installers do not ask for them."""
    if name == "aimindserve/__init__.py":
        return text.replace(f'"{old}"', f'"{version}"')
    if name.endswith("METADATA"):
        return text.replace(f"\nVersion: {old}\n", f"\nVersion: {version}\n")
    return re.sub(r"sha256=[^,]*,\d*$", ",", text, flags=re.MULTILINE) if name.endswith("RECORD") else text


def breaks_at_start(name: str, text: str) -> str:
    """An edit: a server that changes the schema of the database and then ends with an error, each time it starts."""
    if name != "aimindserve/server/__main__.py":
        return text
    return f"{SPOIL_THE_DATABASE}\n{text}".replace("from __future__ import annotations\n", "")


SPOIL_THE_DATABASE = """
import json, pathlib, sqlite3, sys
_settings = json.loads(pathlib.Path(sys.argv[sys.argv.index("--settings") + 1]).read_text())
_database = sqlite3.connect(pathlib.Path(_settings["data_dir"]) / "database.sqlite")
_database.execute("UPDATE alembic_version SET version_num = '9999'")
_database.execute("CREATE TABLE IF NOT EXISTS of_the_future (x)")
_database.commit()
raise SystemExit("this version is broken on purpose")
"""
