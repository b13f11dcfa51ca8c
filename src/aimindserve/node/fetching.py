"""The agent's side of the downloading process."""

import asyncio
import contextlib
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator

from pydantic import ValidationError

from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.node.transfer_job import TransferJob, TransferNews

_log = logging.getLogger("aimindserve.node")
# What a download needs of the surroundings: certificates and proxies, but no token of anybody's.
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
_LONGEST_LINE = 1 << 20


async def fetch(job: TransferJob) -> AsyncGenerator[TransferNews]:
    """Run one job in a process of its own and give its news as they come; the last is finished or has a reason.

    When the generator is closed early, the process is killed; what has arrived stays.
    """
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aimindserve.node.download"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
        limit=_LONGEST_LINE,
    )
    try:
        async for news in _news(process, job):
            yield news
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    """Kill it and read its pipes to the end, else their transports outlive the event loop.

    A task that is cancelled may be cancelled again while it waits here (paused, then the agent stops).
    """
    with contextlib.suppress(ProcessLookupError):
        process.kill()
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


async def _news(process: Process, job: TransferJob) -> AsyncGenerator[TransferNews]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        return
    with contextlib.suppress(ConnectionError):
        # repr=False hides the token from people, not from this line.
        process.stdin.write(job.model_dump_json().encode() + b"\n")
        await process.stdin.drain()
    done = 0
    while line := await process.stdout.readline():
        try:
            news = TransferNews.model_validate_json(line)
        except ValidationError:
            continue
        done = news.done
        yield news
        if news.finished or news.reason is not None:
            return
    errors = (await process.stderr.read(4096)).decode("utf-8", "replace").strip().splitlines()
    _log.warning("the downloading process ended early: %s", errors[-1] if errors else "killed")
    detail = "the downloading process ended"
    yield TransferNews(done=done, reason=reason(ReasonCode.DOWNLOAD_INTERRUPTED, file=job.facts.name, detail=detail))
