"""Work in a process of its own: one job as JSON on its standard input, news as JSON lines on its standard output."""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

_log = logging.getLogger("aimindserve.node")
News = TypeVar("News", bound=BaseModel)
# What such work needs of the surroundings: certificates, proxies and how pip is set up, but no token of anybody's.
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_CONFIG_HOME"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
_LONGEST_LINE = 1 << 20
_PR_SET_PDEATHSIG = 1


async def job_news(module: str, job: BaseModel, kind: type[News]) -> AsyncGenerator[News]:
    """Run ``python -m module`` and give its news as they come, until it ends.

    When the generator is closed early, the process and all that it started are killed; what they wrote stays.
    """
    environment = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("PIP_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
        limit=_LONGEST_LINE,
        start_new_session=True,
    )
    try:
        async for news in _news(process, job, kind):
            yield news
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    """Kill the group and read the pipes to the end, else their transports outlive the event loop.

    A task that is cancelled may be cancelled again while it waits here (paused, then the agent stops).
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    again: asyncio.CancelledError | None = None
    while True:
        try:
            await process.communicate()
        except asyncio.CancelledError as cancelled:
            again = cancelled
        else:
            break
    if again is not None:
        raise again


async def _news(process: Process, job: BaseModel, kind: type[News]) -> AsyncGenerator[News]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        return
    with contextlib.suppress(ConnectionError):
        # repr=False hides a token from people, not from this line.
        process.stdin.write(job.model_dump_json().encode() + b"\n")
        await process.stdin.drain()
    while line := await process.stdout.readline():
        with contextlib.suppress(ValidationError):
            yield kind.model_validate_json(line)
    errors = (await process.stderr.read(4096)).decode("utf-8", "replace").strip().splitlines()
    if errors:
        _log.warning("a process for work ended: %s", errors[-1])


def end_with_parent() -> None:
    """Ask the kernel to end this process with the one that started it."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        raise SystemExit(1)


def tell(news: BaseModel) -> None:
    """One line of news."""
    sys.stdout.write(news.model_dump_json(exclude_none=True) + "\n")
    sys.stdout.flush()
