"""Which account a command on the server's own machine works as."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from aimindserve.cli.output import CommandError


def become_owner(folder: Path) -> None:
    """Root goes on as the account that owns ``folder``, for good: what it writes there belongs to that account, and
    nothing that lies there can lead root elsewhere. Any other account stays what it is."""
    if os.geteuid() != 0 or not folder.is_dir() or (owner := folder.stat()).st_uid == 0:
        return
    try:
        name = pwd.getpwuid(owner.st_uid).pw_name
        os.initgroups(name, owner.st_gid)
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
    except (KeyError, PermissionError) as error:
        raise CommandError(
            f"The data folder {folder} belongs to account {owner.st_uid}, and this one may not act for it.",
            "Run the command as that account.",
            code="data_dir_forbidden",
        ) from error
    os.environ["HOME"] = pwd.getpwuid(owner.st_uid).pw_dir
