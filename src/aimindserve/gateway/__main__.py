"""``python -m aimindserve.gateway --settings FILE``."""

import argparse
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from aimindserve.gateway.app import run
from aimindserve.gateway.config import ConfigError, load_config

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_BAD_CONFIGURATION = 78  # sysexits.h


def end_with_parent() -> None:
    """Have the kernel send TERM to us when the process that started us dies."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def allow_many_connections() -> None:
    """Each stream takes two file descriptors, and the soft limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Exit code 0 after TERM, 3 when the port cannot be used, 78 when the settings cannot."""
    parser = argparse.ArgumentParser(prog="aimindserve.gateway", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="JSON file written by the supervisor")
    arguments = parser.parse_args()
    os.umask(0o077)
    end_with_parent()
    allow_many_connections()
    try:
        config = load_config(arguments.settings)
    except ConfigError as error:
        sys.stderr.write(f"aimindserve gateway: {error}\n")
        return _BAD_CONFIGURATION
    return run(config)


if __name__ == "__main__":
    sys.exit(main())
