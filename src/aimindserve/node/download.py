"""The downloading process: one job on standard input, news on standard output, gone with the agent that started it.

A process of its own keeps gigabytes of copying and hashing away from the server, holds the hub's token where no engine
sees it, and can be killed at any byte: what has arrived stays in the store's ``partial`` folder.

Usage: ``python -m aimindserve.node.download`` (by the agent)."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from aimindserve.domain.facts import HubOrigin, ModelFile
from aimindserve.domain.files import IMPORTED, blob_name
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.node.importing import bring, find_brought
from aimindserve.node.jobs import end_with_parent, tell
from aimindserve.node.launch import disk_reason
from aimindserve.node.locks import LockBusyError, release, take
from aimindserve.node.store import Store
from aimindserve.node.transfer import Bucket, Transfer, TransferError, digest_of, file_url
from aimindserve.node.transfer_job import TransferJob, TransferNews

_AT_ONCE = 4
_NEWS_SECONDS = 0.5
_LOCK_POLL_SECONDS = 0.2
_CONNECT_SECONDS = 10.0
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class Downloading:
    """One job."""

    def __init__(self, job: TransferJob, origin: HubOrigin) -> None:
        self.job = job
        self.origin = origin
        self.store = Store(Path(job.root))
        self.done = self.store.there(job.facts)
        self.borrowed: dict[str, str] = {}
        self._failure: TransferNews | None = None
        self._bucket = Bucket(job.rate_limit)
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> TransferNews:
        """Fetch everything and give it its names. The last news."""
        with suppress(ExceptionGroup):  # what was raised is in _failure
            async with self._client() as client, asyncio.TaskGroup() as group:
                for content in _by_content(self.origin, self.job.facts.files):
                    group.create_task(self._try(client, content))
        if self._failure is None:
            try:
                self.store.publish(self.job.source, self.job.facts, self.borrowed, time.time())
            except OSError as error:
                self._failure = self._failed(error)
        return self._failure or TransferNews(done=self.done, finished=True)

    def _failed(self, error: TransferError | OSError) -> TransferNews:
        if isinstance(error, TransferError):
            return TransferNews(done=self.done, reason=error.why, retry_after=error.retry_after)
        detail = error.strerror or type(error).__name__
        why = reason(ReasonCode.DOWNLOAD_INTERRUPTED, file=self.job.facts.name, detail=detail)
        return TransferNews(done=self.done, reason=disk_reason(error, self.store.root) or why)

    def _client(self) -> httpx.AsyncClient:
        timeout = httpx.Timeout(self.job.stall_timeout, connect=min(_CONNECT_SECONDS, self.job.stall_timeout))
        return httpx.AsyncClient(proxy=self.job.proxy, timeout=timeout, follow_redirects=False)

    async def _try(self, client: httpx.AsyncClient, files: list[ModelFile]) -> None:
        """As ``_have``; the first failure is what the agent is told, and ends the others."""
        try:
            await self._have(client, files)
        except (TransferError, OSError) as error:
            self._failure = self._failure or self._failed(error)
            raise

    async def _have(self, client: httpx.AsyncClient, files: list[ModelFile]) -> None:
        """Have the content of ``files`` (all the same) in the store, unless it lies in a cache already."""
        file = files[0]
        async with self._slots, self._locked(file):
            blob, partial = self.store.blob(self.origin, file), self.store.partial(self.origin, file)
            if not self.store.missing(self.job.facts.model_copy(update={"files": (file,)})):
                return
            if self.job.folder is not None and await asyncio.to_thread(self._bring, Path(self.job.folder), file):
                return
            found = await asyncio.to_thread(self._in_cache, file)
            if found is not None:
                self.borrowed.update({one.path: str(found) for one in files})
                self._told(file.size)
                return
            self._require_hub(file)
            await self._transfer(client, file, partial).run()
            await asyncio.to_thread(_keep, partial, blob)

    def _bring(self, folder: Path, file: ModelFile) -> bool:
        """Copy the file's content from where it was brought; False when it is not there."""
        path = find_brought(folder, self.origin, file)
        if path is None:
            return False
        partial = self.store.partial(self.origin, file)
        bring(path, file, partial, self._told)
        _keep(partial, self.store.blob(self.origin, file))
        return True

    def _require_hub(self, file: ModelFile) -> None:
        """Raises TransferError where the hub may not be asked, or is not asked for brought files of no known commit."""
        if self.job.offline or self.origin.revision == IMPORTED:
            folder = self.job.folder
            offline, missing = ReasonCode.DOWNLOAD_OFFLINE, ReasonCode.IMPORT_MISSING
            why = reason(missing, file=file.path, folder=folder) if folder else reason(offline, file=file.path)
            raise TransferError(why)

    def _transfer(self, client: httpx.AsyncClient, file: ModelFile, partial: Path) -> Transfer:
        return Transfer(
            client=client,
            url=file_url(self.job.endpoint, self.origin, file.path),
            token=self.job.token,
            file=file,
            partial=partial,
            bucket=self._bucket,
            told=self._told,
            backoff_first=self.job.backoff_first,
            fruitless_tries=self.job.fruitless_tries,
        )

    def _told(self, count: int) -> None:
        self.done += count

    @asynccontextmanager
    async def _locked(self, file: ModelFile) -> AsyncGenerator[None]:
        """Holds the file's lock: another download or an import may be at it."""
        path = self.store.locks / f"{blob_name(self.origin, file)}.lock"
        while True:
            try:
                descriptor = take(path, exclusive=True)
                break
            except LockBusyError:
                await asyncio.sleep(_LOCK_POLL_SECONDS)
        try:
            yield
        finally:
            release([descriptor])

    def _in_cache(self, file: ModelFile) -> Path | None:
        """The same content in a Hugging Face cache of this machine, verified
        (https://huggingface.co/docs/huggingface_hub/guides/manage-cache)."""
        if self.origin.hub != "hf" or file.digest is None:
            return None
        name = f"models--{self.origin.repository.replace('/', '--')}"
        for cache in self.job.caches:
            path = Path(cache) / name / "blobs" / file.digest.partition(":")[2]
            try:
                fits = path.is_file() and path.stat().st_size == file.size
                if fits and digest_of(path, file.digest, file.size) == file.digest:
                    return path.resolve()
            except OSError:
                continue
        return None


def _by_content(origin: HubOrigin, files: tuple[ModelFile, ...]) -> list[list[ModelFile]]:
    """Files with the same content together, small ones first: they are what a person can look at early."""
    found: dict[str, list[ModelFile]] = {}
    for file in sorted(files, key=lambda file: file.size):
        found.setdefault(blob_name(origin, file), []).append(file)
    return list(found.values())


def _keep(partial: Path, blob: Path) -> None:
    """Make verified content permanent: on the disk first, then under its name."""
    descriptor = os.open(partial, _READ)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(blob)


async def _run(job: TransferJob, origin: HubOrigin) -> None:
    work = Downloading(job, origin)

    async def report() -> None:
        while True:
            tell(TransferNews(done=work.done))
            await asyncio.sleep(_NEWS_SECONDS)

    async with asyncio.TaskGroup() as group:
        reporting = group.create_task(report())
        last = await work.run()
        reporting.cancel()
    tell(last)


def main() -> int:
    """Read the job, do it."""
    end_with_parent()
    job = TransferJob.model_validate_json(sys.stdin.buffer.readline())
    if job.facts.origin is None:
        return 2
    asyncio.run(_run(job, job.facts.origin))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
