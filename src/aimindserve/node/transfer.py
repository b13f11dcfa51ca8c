"""Fetching one file over HTTP so that no interruption costs more than what had not arrived."""

import asyncio
import hashlib
import io
import os
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import httpx

from aimindserve.domain.facts import HubOrigin, ModelFile
from aimindserve.domain.reasons import Reason, ReasonCode, reason

_MOST_REDIRECTS = 5
_MOST_DAMAGED = 3
_LONGEST_PAUSE = 60.0
_PIECE = 1 << 20
_REDIRECTS = (301, 302, 303, 307, 308)
_REFUSALS = (401, 403)
_ABSENT = (404, 410)


class TransferError(Exception):
    """The file will not come, at least not now. ``retry_after``: seconds that the hub asked for."""

    def __init__(self, why: Reason, retry_after: float | None = None) -> None:
        super().__init__(why.code)
        self.why = why
        self.retry_after = retry_after


class _InterruptedError(Exception):
    """This try ended early; the next goes on from what is there."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


@dataclass
class Bucket:
    """Holds the transfers of a process to ``rate`` bytes a second together; None: as fast as it goes."""

    rate: int | None
    _owed_until: float = 0.0

    async def take(self, count: int) -> None:
        """Come back when ``count`` bytes more may have been received."""
        if self.rate is None:
            return
        now = asyncio.get_running_loop().time()
        self._owed_until = max(self._owed_until, now) + count / self.rate
        await asyncio.sleep(self._owed_until - now)


def file_url(endpoint: str, origin: HubOrigin, path: str) -> str:
    """Where a hub offers a file of a repository at a commit."""
    models = "models/" if origin.hub == "ms" else ""
    return f"{endpoint.rstrip('/')}/{models}{origin.repository}/resolve/{origin.revision}/{quote(path)}"


class Hasher(Protocol):
    """A hash that takes its content piece by piece."""

    def update(self, data: bytes, /) -> None:
        """Goes on with ``data``."""
        ...

    def hexdigest(self) -> str:
        """Of all content so far."""
        ...


def new_digest(digest: str, size: int) -> Hasher:
    """A hash of the kind that ``digest`` is (see ``domain.facts.ModelFile``), before any content.

    The name of a git blob: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    if digest.startswith("git:"):
        return hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    return hashlib.sha256()


def digest_of(path: Path, digest: str, size: int) -> str:
    """The digest of a file's content, in the form that ``digest`` has."""
    hasher = new_digest(digest, size)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
    return f"{digest.partition(':')[0]}:{hasher.hexdigest()}"


@dataclass
class Transfer:
    """One file on its way into ``partial``. ``told`` is called with each number of bytes that arrived (negative when
    some are thrown away)."""

    client: httpx.AsyncClient
    url: str
    token: str | None
    file: ModelFile
    partial: Path
    bucket: Bucket
    told: Callable[[int], None]
    backoff_first: float = 1.0
    fruitless_tries: int = 8
    _damaged: int = field(default=0, init=False)

    async def run(self) -> None:
        """Fetch until the file is whole and verified.

        Raises:
            TransferError: it will not come.
            OSError: the disk is full or does not work.
        """
        fruitless, pause_from = 0, self.backoff_first
        while True:
            before = self._there()
            try:
                await self._fetch()
                await self._verify()
                return
            except _InterruptedError as interrupted:
                fruitless = 0 if self._there() > before else fruitless + 1
                wait = interrupted.retry_after or min(_LONGEST_PAUSE, pause_from * 2.0 ** max(0, fruitless - 1))
                if fruitless >= self.fruitless_tries or wait > _LONGEST_PAUSE:
                    why = reason(ReasonCode.DOWNLOAD_INTERRUPTED, file=self.file.path, detail=str(interrupted))
                    raise TransferError(why, interrupted.retry_after) from interrupted
                # Many nodes behind one mirror must not all come back at once.
                await asyncio.sleep(wait * (1 + random.random() / 4))  # noqa: S311

    def _there(self) -> int:
        try:
            return self.partial.stat(follow_symlinks=False).st_size
        except OSError:
            return 0

    async def _fetch(self) -> None:
        """One try: from what is there to the end."""
        start = self._there()
        if start > self.file.size:
            self._restart()
            start = 0
        if start == self.file.size and self.partial.exists():
            return
        try:
            async with self._answer(start) as answer:
                start = self._checked_start(answer, start)
                await self._receive(answer, start)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _InterruptedError(str(error) or type(error).__name__) from error

    @asynccontextmanager
    async def _answer(self, start: int) -> AsyncGenerator[httpx.Response]:
        """The hub's answer after its redirects. The token goes to the hub's own host only."""
        headers = {"accept-encoding": "identity", "user-agent": "aimindserve"}
        if start:
            headers["range"] = f"bytes={start}-"
        home = httpx.URL(self.url)
        url = home
        for _ in range(_MOST_REDIRECTS + 1):
            own = (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)
            secret = {"authorization": f"Bearer {self.token}"} if self.token and own else {}
            async with self.client.stream("GET", url, headers={**headers, **secret}) as answer:
                if answer.status_code not in _REDIRECTS:
                    yield answer
                    return
                target = url.join(answer.headers.get("location", ""))
            if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme == "http"):
                raise _InterruptedError("it was redirected to an unsafe address")
            url = target
        raise _InterruptedError("it was redirected too often")

    def _checked_start(self, answer: httpx.Response, start: int) -> int:
        """The offset from which the answer's body goes on.

        Raises:
            TransferError: trying again would not help.
            _InterruptedError: it might.
        """
        status = answer.status_code
        if status in _REFUSALS:
            raise TransferError(reason(ReasonCode.DOWNLOAD_REFUSED, file=self.file.path, status=status))
        if status in _ABSENT:
            raise TransferError(reason(ReasonCode.DOWNLOAD_NOT_FOUND, file=self.file.path))
        if status == 206 and start:
            if answer.headers.get("content-range", "") != f"bytes {start}-{self.file.size - 1}/{self.file.size}":
                self._restart()
                raise _InterruptedError("another part than the one asked for came")
            return start
        if status != 200:
            if status == 416:
                self._restart()
            raise _InterruptedError(f"HTTP {status}", _retry_after(answer))
        if start:
            self._restart()
        length = answer.headers.get("content-length")
        if length is not None and length != str(self.file.size):
            raise _InterruptedError(f"{length} bytes were offered instead of {self.file.size}")
        if answer.headers.get("content-type", "").startswith("text/html") and not self.file.path.endswith(".html"):
            raise _InterruptedError("a web page came instead of the file")
        return 0

    def _restart(self) -> None:
        self.told(-self._there())
        self.partial.unlink(missing_ok=True)

    async def _receive(self, answer: httpx.Response, start: int) -> None:
        """Append the body. What came before an error stays."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with io.FileIO(os.open(self.partial, flags, 0o600), "ab") as file:
            at = start
            async for piece in answer.aiter_bytes():
                if at + len(piece) > self.file.size:
                    raise _InterruptedError("more came than the file is long")
                await asyncio.to_thread(self._write, file, piece)
                at += len(piece)
                await self.bucket.take(len(piece))
        if at < self.file.size:
            raise _InterruptedError("the connection ended early")

    def _write(self, file: io.FileIO, piece: bytes) -> None:
        """Write all of ``piece``: a disk that fills up takes a part of it first. Only what was written is told."""
        rest = memoryview(piece)
        while rest:
            written = file.write(rest) or 0
            self.told(written)
            rest = rest[written:]

    async def _verify(self) -> None:
        """Compare size and digest.

        Raises:
            _InterruptedError: damaged, thrown away, worth another try.
            TransferError: damaged again and again.
        """
        size, digest = self.file.size, self.file.digest
        if self._there() == size and self.partial.exists():
            found = await asyncio.to_thread(digest_of, self.partial, digest, size) if digest else None
            if found == digest:
                return
        self._damaged += 1
        self._restart()
        if self._damaged >= _MOST_DAMAGED:
            raise TransferError(reason(ReasonCode.DOWNLOAD_DAMAGED, file=self.file.path, times=self._damaged))
        raise _InterruptedError("its checksum was wrong")


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds of a ``Retry-After`` header; dates and nonsense count as none."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() and len(text) < 8 else None
