"""Reading parts of a file on a hub: the first megabytes hold all that a header tells."""

import httpx

from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.sources._base import RefusedError

_FIRST_PIECE = 1 << 20
# Larger headers than this are no vocabulary's doing (see ``domain.gguf`` for the limits on what is in them).
_MOST_BYTES = 64 << 20
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class RemoteFile:
    """A file of known ``size`` at ``url``, read from its start in pieces that double: 1 MiB, 2, 4 … 64."""

    def __init__(self, client: httpx.Client, url: str, token: str | None, size: int) -> None:
        self._client = client
        self._url = url
        self._token = token
        self._size = size
        self._known = b""

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset``; fewer only at the end of the file, or beyond 64 MiB.

        Raises:
            RefusedError: the hub does not give them.
        """
        wanted = min(offset + count, self._size, _MOST_BYTES)
        while len(self._known) < wanted:
            end = min(max(_FIRST_PIECE, 2 * len(self._known), wanted), self._size, _MOST_BYTES)
            self._known += self._fetch(len(self._known), end)
        return self._known[offset : offset + count]

    def _fetch(self, start: int, end: int) -> bytes:
        """Bytes from ``start`` up to ``end``, in one request after its redirects. The token stays with the hub."""
        home = url = httpx.URL(self._url)
        for _ in range(_MOST_REDIRECTS + 1):
            headers = {"range": f"bytes={start}-{end - 1}", "accept-encoding": "identity"}
            own = (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)
            if self._token and own:
                headers["authorization"] = f"Bearer {self._token}"
            try:
                with self._client.stream("GET", url, headers=headers) as answer:
                    if answer.status_code not in _REDIRECTS:
                        return self._body(answer, start, end)
                    target = url.join(answer.headers.get("location", ""))
            except httpx.HTTPError as error:
                raise self._refused(str(error) or type(error).__name__) from error
            if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme == "http"):
                break
            url = target
        raise self._refused("it redirects to an unsafe address or too often")

    def _body(self, answer: httpx.Response, start: int, end: int) -> bytes:
        if answer.status_code != 206:
            raise self._refused(f"HTTP {answer.status_code} to a request for a part of a file")
        if answer.headers.get("content-range") != f"bytes {start}-{end - 1}/{self._size}":
            raise self._refused("another part of a file came than the one asked for")
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > end - start:
                break
        if len(body) != end - start:
            raise self._refused("a part of a file came cut off")
        return bytes(body)

    def _refused(self, detail: str) -> RefusedError:
        return RefusedError(reason(ReasonCode.HUB_UNREACHABLE, hub=httpx.URL(self._url).host, detail=detail))
