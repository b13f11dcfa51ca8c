"""The agent's side of the downloading process."""

import contextlib
from collections.abc import AsyncGenerator

from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.node.jobs import job_news
from aimindserve.node.transfer_job import TransferJob, TransferNews


async def fetch(job: TransferJob) -> AsyncGenerator[TransferNews]:
    """Run one job in a process of its own and give its news as they come; the last is finished or has a reason.

    When the generator is closed early, the process is killed; what has arrived stays.
    """
    done = 0
    async with contextlib.aclosing(job_news("aimindserve.node.download", job, TransferNews)) as told:
        async for news in told:
            done = news.done
            yield news
            if news.finished or news.reason is not None:
                return
    detail = "the downloading process ended"
    yield TransferNews(done=done, reason=reason(ReasonCode.DOWNLOAD_INTERRUPTED, file=job.facts.name, detail=detail))
