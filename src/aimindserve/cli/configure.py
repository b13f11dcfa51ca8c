"""What ``install.sh`` asks of a version that it has just unpacked: put settings into the configuration file.

``python -m aimindserve.cli.configure --config FILE`` reads lines ``name=value`` from standard input, so that no secret
is ever an argument. Settings go into the file, which keeps its comments and order; tokens go into the data folder.
Prints ``host=…`` and ``port=…`` as they hold now. Ends with 2, and changes nothing, when a setting cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from aimindserve.cli.account import become_owner
from aimindserve.server.settings import SECRET_NAMES, Settings, SettingsError, resolve_settings, save_tokens

HEAD = """\
# Settings of aiMindServe. `aimindserve start --help` lists them all; a change holds from the next start on.
"""


def read_lines(lines: Iterable[str]) -> dict[str, str]:
    """``name=value`` lines as a mapping; of one name the last line wins."""
    pairs = (line.rstrip("\n").partition("=") for line in lines if "=" in line)
    return {name.strip().replace("-", "_"): value for name, _, value in pairs}


def merged(text: str, values: Mapping[str, str]) -> str:
    """The configuration ``text`` (YAML, one setting a line) with these values; every other line stays as it is."""
    lines: list[str] = (text or HEAD).splitlines()
    for name, value in values.items():
        line = f"{name}: {_scalar(value)}"
        spelling = re.compile(rf"{name.replace('_', '[_-]')}\s*:")
        place = next((number for number, old in enumerate(lines) if spelling.match(old)), None)
        if place is None:
            lines.append(line)
        else:
            lines[place] = line
    return "\n".join([*lines, ""])


def _scalar(value: str) -> str:
    """A value as YAML: numbers and truth values as they are, everything else quoted."""
    plain: Any = yaml.safe_load(value) if re.fullmatch(r"[0-9]+|true|false", value) else value
    return json.dumps(plain, ensure_ascii=False)


def write_config(file: Path, text: str) -> None:
    """Replaces the file; a new one gets the group of its folder, which may read it: it can hold a password."""
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
        if os.geteuid() == 0:
            os.fchown(descriptor, 0, file.parent.stat().st_gid)
            os.fchmod(descriptor, 0o640)
    beside.replace(file)


def _settled(text: str, tokens: Mapping[str, str]) -> Settings:
    """The settings of the configuration text.

    Raises:
        SettingsError: one of them cannot be used.
    """
    values = yaml.safe_load(text) or {}
    return resolve_settings({**values, **tokens}, {})


def main(argv: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="aimindserve.cli.configure")
    parser.add_argument("--config", type=Path, required=True)
    file: Path = parser.parse_args(argv).config
    given = read_lines(sys.stdin)
    tokens = {name: value for name, value in given.items() if name in SECRET_NAMES}
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    text = merged(old, {name: value for name, value in given.items() if name not in SECRET_NAMES})
    try:
        settings = _settled(text, tokens)
    except (SettingsError, yaml.YAMLError) as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 2
    if text != old:
        write_config(file, text)
    if tokens:
        become_owner(Path(settings.data_dir))
        save_tokens(settings)
    print(f"host={settings.host}\nport={settings.port}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
