"""``python -m aimindserve.gateway --settings FILE``."""

import argparse
import os
import resource
import sys
from pathlib import Path

from aimindserve.gateway.app import run
from aimindserve.gateway.config import ConfigError, load_config

_BAD_CONFIGURATION = 78  # sysexits.h


def allow_many_connections() -> None:
    """Each stream takes two file descriptors, and the soft limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Exit code 0 after TERM, 3 when the port or the certificate cannot be used, 78 when the settings cannot."""
    parser = argparse.ArgumentParser(prog="aimindserve.gateway", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="JSON file written by the supervisor")
    parser.add_argument("--listener", type=int, help="descriptor of a socket that listens already")
    arguments = parser.parse_args()
    os.umask(0o077)
    allow_many_connections()
    try:
        config = load_config(arguments.settings)
    except ConfigError as error:
        sys.stderr.write(f"aimindserve gateway: {error}\n")
        return _BAD_CONFIGURATION
    return run(config, arguments.listener)


if __name__ == "__main__":
    sys.exit(main())
