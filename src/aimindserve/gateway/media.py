"""Pictures that a request names by their address: fetched, decoded and written anew, and put into the request, so that
no engine ever fetches anything. Kept for a minute, because a conversation sends the same addresses again each turn."""

import asyncio
import hashlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

import msgspec

from aimindserve.domain.addresses import AddressError, MediaPolicy, media_rules, parse_address
from aimindserve.domain.pictures import PictureError, inspect_picture
from aimindserve.gateway.admit import too_large
from aimindserve.gateway.body import BodyView, look
from aimindserve.gateway.budget import BodyBudget, Held
from aimindserve.gateway.config import GatewayConfig
from aimindserve.gateway.endpoints import Row
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.fetch import Fetcher, FetchError
from aimindserve.gateway.reencode import Decoders, UndecodableError

_AT_ONCE = 16  # pictures that are fetched at the same time, over all requests
KEPT_SECONDS = 60.0
KEPT_BYTES = 32 * 1024**2
_KEPT_PICTURES = 256
_LOG_SECONDS = 1.0

Picture = tuple[str, str]
"""(media type, base64)."""


class Cache:
    """Fetched pictures by content, and which content an address had. ``now`` in seconds, of any clock that goes on."""

    def __init__(self, now: Callable[[], float], most_bytes: int = KEPT_BYTES) -> None:
        self._now = now
        self._most = most_bytes
        self._digests: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._pictures: OrderedDict[bytes, tuple[float, Picture]] = OrderedDict()
        self.bytes = 0

    def at(self, url: str) -> Picture | None:
        """The picture that was at ``url`` less than a minute ago."""
        found = self._digests.get(url)
        return self.of(found[1]) if found is not None and found[0] > self._now() else None

    def of(self, digest: bytes) -> Picture | None:
        """What was made of the content with this SHA-256."""
        self._drop_old()
        found = self._pictures.get(digest)
        return None if found is None else found[1]

    def keep(self, url: str, digest: bytes, picture: Picture) -> None:
        """Keep ``picture``, unless it is too large to be kept."""
        self._drop_old()
        until = self._now() + KEPT_SECONDS
        self._digests[url] = (until, digest)
        self._digests.move_to_end(url)
        if digest not in self._pictures and len(picture[1]) <= self._most // 2:
            self._pictures[digest] = (until, picture)
            self.bytes += len(picture[1])
        while self.bytes > self._most or len(self._pictures) > _KEPT_PICTURES:
            self._drop_first()
        while len(self._digests) > 4 * _KEPT_PICTURES:
            self._digests.popitem(last=False)

    def _drop_old(self) -> None:
        now = self._now()
        while self._pictures and next(iter(self._pictures.values()))[0] <= now:
            self._drop_first()
        while self._digests and next(iter(self._digests.values()))[0] <= now:
            self._digests.popitem(last=False)

    def _drop_first(self) -> None:
        _, (_, picture) = self._pictures.popitem(last=False)
        self.bytes -= len(picture[1])


class Media:
    """``spawn`` runs a coroutine beside the rest. ``counts``: pictures by what became of them."""

    def __init__(
        self,
        config: GatewayConfig,
        budget: BodyBudget,
        now: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self.rules = media_rules(config.media_policy, config.media_hosts)
        self.on = self.rules.policy is not MediaPolicy.OFF
        self.fetcher = Fetcher(self.rules)
        self.decoders = Decoders(spawn)
        self.cache = Cache(now)
        self.counts = {"fetched": 0, "cached": 0, "refused": 0}
        self._largest = config.max_body_bytes
        self._budget = budget
        self._now = now
        self._logged_at = 0.0
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._running: set[asyncio.Task[Any]] = set()

    async def inline(self, body: bytes | bytearray, row: Row, view: BodyView) -> tuple[bytes, BodyView] | Refusal:
        """The request with the pictures of ``view.urls`` in it, and how it looks now; or why it is refused."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._running.add(task)
        try:
            pictures: dict[str, Picture] = {}
            for url in view.urls:
                found = await self._picture(url)
                if isinstance(found, Refusal):
                    return found
                pictures[url] = found
                if sum(len(one[1]) for one in pictures.values()) > self._largest:
                    return too_large(self._largest)
        finally:
            self._running.discard(task)
        whole = with_pictures(body, pictures)
        seen = look(whole, row)
        if isinstance(seen, BodyView) and seen.urls:  # never seen; and if, then it goes no further
            return _refusal(seen.urls[0], self.rules.policy)
        return seen if isinstance(seen, Refusal) else (whole, seen)

    async def _picture(self, url: str) -> Picture | Refusal:
        known = self.cache.at(url)
        if known is not None:
            self.counts["cached"] += 1
            return known
        held = Held(self._budget)
        try:
            async with self._turn:
                made = await self._fetch(url, held)
            self.counts["fetched"] += 1
            return made
        except PictureError as error:
            self._refused(url, error.code)
            return Refusal(400, error.code, f"{error} It is at {url[:200]}.")
        except (FetchError, UndecodableError) as error:
            self._refused(url, str(error))
            return _refusal(url, self.rules.policy)
        finally:
            held.let_go()

    async def _fetch(self, url: str, held: Held) -> Picture:
        data = await self.fetcher.fetch(url, held)
        inspect_picture(lambda place, count: bytes(data[place : place + count]), len(data))
        digest = (await asyncio.to_thread(hashlib.sha256, data)).digest()
        known = self.cache.of(digest)
        if known is None:
            kind, text = await self.decoders.reencode(data)
            known = kind, text.decode("ascii")
        self.cache.keep(url, digest, known)
        return known

    def _refused(self, url: str, why: str) -> None:
        """Count it, and tell the administrator, but not more often than somebody can read."""
        self.counts["refused"] += 1
        if self._now() - self._logged_at < _LOG_SECONDS:
            return
        self._logged_at = self._now()
        try:
            host = parse_address(url).authority
        except AddressError:
            host = "?"
        sys.stderr.write(f"aimindserve gateway: a picture of host {host} was not fetched: {why}\n")

    async def close(self) -> None:
        """Give up what is under way and end the decoders."""
        for task in self._running:
            task.cancel()
        await self.decoders.close()


_HINTS = {
    MediaPolicy.PUBLIC: "Only public addresses are fetched, at ports 80 and 443.",
    MediaPolicy.ALLOWLIST: "Only hosts that the administrator of this server listed are fetched.",
    MediaPolicy.OFF: "This server fetches none.",
}


def _refusal(url: str, policy: MediaPolicy) -> Refusal:
    """The same words whatever the reason: they must not tell what there is in our network."""
    message = (
        f"The picture at {url[:200]} could not be fetched. {_HINTS[policy]} "
        "Or send it inside the request: data:image/…;base64,…."
    )
    return Refusal(400, "image_not_fetched", message)


def not_fetched() -> Refusal:
    """The refusal of every address where the policy is ``off``."""
    message = (
        "Pictures must be sent inside the request, as data: URIs (data:image/…;base64,…). "
        "Addresses are not fetched by this server."
    )
    return Refusal(400, "image_url_not_supported", message)


def with_pictures(body: bytes | bytearray, pictures: Mapping[str, Picture]) -> bytes:
    """``body``, valid JSON, with the addresses of ``pictures`` replaced by themselves where a picture is meant."""
    content = msgspec.json.decode(body)
    _replace(content, pictures)
    return msgspec.json.encode(content)


def _replace(value: Any, pictures: Mapping[str, Picture]) -> None:
    if isinstance(value, list):
        for inner in cast("list[Any]", value):
            _replace(inner, pictures)
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            value[name] = _instead(name, inner, pictures)


def _instead(name: str, value: Any, pictures: Mapping[str, Picture]) -> Any:
    """What stands in place of ``value`` under ``name``: OpenAI's ``image_url``, Anthropic's ``source``."""
    if name == "image_url" and isinstance(value, str):
        return _uri(value, pictures)
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    url = fields.get("url")
    if name == "image_url" and fields:
        fields["url"] = _uri(url, pictures)
        return fields
    found = pictures.get(url) if name == "source" and isinstance(url, str) else None
    if found is not None:
        return {"type": "base64", "media_type": found[0], "data": found[1]}
    _replace(value, pictures)
    return cast("Any", value)


def _uri(url: Any, pictures: Mapping[str, Picture]) -> Any:
    found = pictures.get(url) if isinstance(url, str) else None
    return url if found is None else f"data:{found[0]};base64,{found[1]}"
