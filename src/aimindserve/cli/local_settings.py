"""The settings that commands on the server's own machine go by."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aimindserve.cli.connection import resolve_data_dir, run_dir_of
from aimindserve.cli.output import CommandError
from aimindserve.domain.paths import settings_file

if TYPE_CHECKING:
    from aimindserve.server.settings import Settings


def local_settings(data_dir: str | None, config: str | None = None, **flags: object) -> Settings:
    """The settings of the last start of this data folder, else those that a start would use now; a configuration file
    and ``flags`` that are given (not None) always ask for the latter.

    Raises:
        CommandError: a setting cannot be used.
    """
    from aimindserve.server.settings import SettingsError, load_settings, resolve_settings

    folder = resolve_data_dir(data_dir)
    file = Path(settings_file(PurePosixPath(run_dir_of(folder))))
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        if not given and config is None and os.access(file, os.R_OK):
            return load_settings(file)
        if data_dir is not None or config is None:
            given["data_dir"] = str(folder)
        return resolve_settings(given, os.environ, Path(config) if config else None)
    except SettingsError as error:
        raise CommandError(str(error), "Correct the setting and try again.", code="settings_invalid") from None
