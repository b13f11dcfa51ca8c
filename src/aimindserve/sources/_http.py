"""Asking a hub by HTTP: bounded in time and size, and every failure a reason."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from aimindserve.domain.facts import Hub
from aimindserve.domain.files import HubAccess
from aimindserve.domain.hubs import DEFAULT_ENDPOINTS
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.units import MIB
from aimindserve.sources._base import RefusedError

HUB_NAMES: dict[Hub, str] = {"hf": "Hugging Face", "ms": "ModelScope"}
_TOKEN_PAGES: dict[Hub, str] = {"hf": "/settings/tokens", "ms": "/my/myaccesstoken"}
_TIMEOUTS = httpx.Timeout(10.0, connect=5.0, pool=5.0)
_MOST_REDIRECTS = 5
_LONGEST_WAIT = 24 * 3600
MAX_ANSWER = 32 * MIB


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is about, for the reason when it fails."""

    repository: str = ""
    revision: str = ""
    path: str = ""


@dataclass
class HubHttp:
    """Connections to one hub with one access. Usable from several threads; ``close`` it.

    ``traffic``: bytes of bodies that were read. The token goes to the hub's own host alone: httpx leaves it out when a
    redirect leads elsewhere.
    """

    hub: Hub
    access: HubAccess
    traffic: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _client: httpx.Client | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        """The hub's address without a slash at the end."""
        return (self.access.endpoints.get(self.hub) or DEFAULT_ENDPOINTS[self.hub]).rstrip("/")

    @property
    def token(self) -> str | None:
        """The token for this hub. Secret."""
        return self.access.tokens.get(self.hub) or None

    def get(
        self, path: str, asked: Asked, params: Mapping[str, Any] | None = None, *, limit: int = MAX_ANSWER
    ) -> Answer:
        """The answer to a question at ``path`` of the hub. Raises RefusedError for all but success."""
        answer = self.send(f"{self.endpoint}{path}", params=params, limit=limit)
        if answer.status >= 400:
            raise RefusedError(explain_answer(self, answer, asked))
        return answer

    def send(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_ANSWER,
    ) -> Answer:
        """The answer, whatever its status. Raises RefusedError when there is none, or one longer than ``limit``."""
        with (
            self._as_reasons(),
            self._session().stream(
                method, url, params=params, headers={**self._credentials(), **(headers or {})}
            ) as response,
        ):
            body = self._read(response, limit)
            return Answer(response.status_code, response.headers, body)

    def read_range(self, url: str, offset: int, count: int, file_size: int, asked: Asked) -> bytes:
        """``count`` bytes of a file from ``offset``. Raises RefusedError unless the hub sends exactly those."""
        if count == file_size:
            # Some hubs send small files whole, whatever part is asked for.
            # A refusal may be longer than the file.
            answer = self.send(url, headers={"Accept-Encoding": "identity"}, limit=max(count, MIB))
            return self._exactly(answer, count, asked)
        last = offset + count - 1
        headers = {**self._credentials(), "Range": f"bytes={offset}-{last}", "Accept-Encoding": "identity"}
        with self._as_reasons(), self._session().stream("GET", url, headers=headers) as response:
            if response.status_code >= 400:
                answer = Answer(response.status_code, response.headers, self._read(response, MIB))
                raise RefusedError(explain_answer(self, answer, asked))
            said = response.headers.get("content-range", "")
            if response.status_code != 206 or said.replace(" ", "") != f"bytes{offset}-{last}/{file_size}":
                detail = (
                    f"asked for bytes {offset}-{last} of {file_size}, got status {response.status_code} {said[:80]}"
                )
                raise RefusedError(self.unreachable(detail.strip()))
            return self._exactly(Answer(206, response.headers, self._read(response, count)), count, asked)

    def _exactly(self, answer: Answer, count: int, asked: Asked) -> bytes:
        if answer.status >= 400:
            raise RefusedError(explain_answer(self, answer, asked))
        if len(answer.body) != count:
            raise RefusedError(self.unreachable(f"{len(answer.body)} bytes came instead of {count}"))
        return answer.body

    def unreachable(self, detail: str) -> Reason:
        """No answer came, or none that can be used."""
        name = HUB_NAMES[self.hub]
        return reason(ReasonCode.HUB_UNREACHABLE, hub=name, endpoint=self.endpoint, detail=detail)

    def close(self) -> None:
        """Ends all connections."""
        if self._client is not None:
            self._client.close()

    def _credentials(self) -> dict[str, str]:
        if self.token is None:
            return {}
        bearer = {"Authorization": f"Bearer {self.token}"}
        # ModelScope's older questions know the session's cookie alone.
        return bearer if self.hub == "hf" else {**bearer, "Cookie": f"m_session_id={self.token}"}

    def _session(self) -> httpx.Client:
        if self.access.offline:
            raise RefusedError(reason(ReasonCode.HUB_OFFLINE, hub=HUB_NAMES[self.hub]))
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    proxy=self.access.proxy,
                    timeout=_TIMEOUTS,
                    follow_redirects=True,
                    max_redirects=_MOST_REDIRECTS,
                    limits=httpx.Limits(max_connections=16, max_keepalive_connections=16),
                    headers={"User-Agent": "aimindserve"},
                )
            return self._client

    def _read(self, response: httpx.Response, limit: int) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            with self._lock:
                self.traffic += len(piece)
            if len(body) > limit:
                detail = f"more than {limit} bytes came"
                raise RefusedError(self.unreachable(detail))
        return bytes(body)

    @contextmanager
    def _as_reasons(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise RefusedError(self.unreachable("no answer in time")) from error
        except httpx.TransportError as error:
            # The text of a proxy's error could hold its address with a password.
            detail = "the proxy refused" if isinstance(error, httpx.ProxyError) else str(error)[:120]
            raise RefusedError(self.unreachable(detail or type(error).__name__)) from error
        except httpx.TooManyRedirects as error:
            raise RefusedError(self.unreachable("endless redirects")) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            detail = type(error).__name__
            raise RefusedError(self.unreachable(detail)) from error


def explain_answer(http: HubHttp, answer: Answer, asked: Asked) -> Reason:
    """Why the hub refused. Codes and messages as huggingface_hub knows them (``hf_raise_for_status``)."""
    name, repository = HUB_NAMES[http.hub], asked.repository
    code = answer.headers.get("x-error-code", "")
    message = answer.headers.get("x-error-message", "")
    tokens = f"{http.endpoint}{_TOKEN_PAGES[http.hub]}"
    if answer.status == 429:
        return reason(ReasonCode.HUB_RATE_LIMITED, hub=name, seconds=_wait(answer.headers))
    if answer.status >= 500:
        return http.unreachable(f"status {answer.status}")
    if answer.status == 401 and (message.startswith("Invalid credentials") or (http.token and not code)):
        return reason(ReasonCode.TOKEN_INVALID, hub=name, page=tokens)
    if code == "GatedRepo" or (answer.status == 403 and repository):
        return _explain_gated(http, repository, message, tokens)
    if code == "RevisionNotFound" or (answer.status == 404 and asked.revision and _names_a_revision(http, answer)):
        return reason(ReasonCode.REVISION_NOT_FOUND, repository=repository, revision=asked.revision)
    if code == "EntryNotFound" or (answer.status == 404 and asked.path):
        return reason(ReasonCode.HUB_FILE_NOT_FOUND, repository=repository, file=asked.path)
    if repository and (code == "RepoNotFound" or answer.status in (401, 404)):
        return reason(ReasonCode.REPOSITORY_NOT_FOUND, repository=repository, hub=name)
    if answer.status in (401, 403):
        return reason(ReasonCode.TOKEN_INVALID, hub=name, page=tokens)
    return http.unreachable(f"status {answer.status} {message[:120]}".strip())


def _names_a_revision(http: HubHttp, answer: Answer) -> bool:
    """ModelScope tells in its text alone whether the repository or its revision is missing."""
    return http.hub == "ms" and re.search(rb"(?i)revision|\xe7\x89\x88\xe6\x9c\xac", answer.body[:4096]) is not None


def _explain_gated(http: HubHttp, repository: str, message: str, tokens: str) -> Reason:
    models = "models/" if http.hub == "ms" else ""
    if http.token is None:
        return reason(
            ReasonCode.REPOSITORY_NEEDS_TOKEN, repository=repository, page=f"{http.endpoint}/{models}{repository}"
        )
    if re.search(r"fine-grained|permission|scope", message):
        return reason(ReasonCode.TOKEN_SCOPE, repository=repository, page=tokens)
    return reason(ReasonCode.REPOSITORY_GATED, repository=repository, page=f"{http.endpoint}/{models}{repository}")


def _wait(headers: httpx.Headers) -> int:
    """Seconds to wait: ``Retry-After``, or ``t=`` of the ``RateLimit`` header; a minute where neither says."""
    plain = re.fullmatch(r"\d{1,6}", headers.get("retry-after", "").strip())
    told = plain[0] if plain else None
    if told is None:
        found = re.search(r"\bt=(\d{1,6})", headers.get("ratelimit", ""))
        told = found[1] if found else "60"
    return max(1, min(int(told), _LONGEST_WAIT))
