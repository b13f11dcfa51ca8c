"""How the Hugging Face hub picks and orders models for ``/api/models``. Pure."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from aimindserve.sim.hub_repositories import Repository

_SORTS = {"downloads", "likes", "trendingScore", "createdAt", "lastModified"}
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_BOUND = re.compile(r"(min|max):([0-9.]+)([KMBT]?)")


class BadSearchError(ValueError):
    """A parameter that the hub answers with status 400."""


def _parameters(repository: Repository) -> int | None:
    counted = repository.about.get("safetensors") or repository.about.get("gguf")
    return counted["total"] if counted else None


def _within(repository: Repository, bounds: str) -> bool:
    total = _parameters(repository)
    for kind, number, unit in _BOUND.findall(bounds):
        limit = float(number) * _UNITS[unit]
        if total is None or (total < limit if kind == "min" else total > limit):
            return False
    return True


def _is_wanted(repository: Repository, params: Mapping[str, Sequence[str]]) -> bool:
    name = repository.id.lower()
    tags = {str(tag).lower() for tag in repository.about.get("tags", ())}
    tags |= {str(repository.about.get(key, "")).lower() for key in ("pipeline_tag", "library_name")}
    words = [word for text in params.get("search", ()) for word in text.lower().split()]
    filters = [tag for text in params.get("filter", ()) for tag in text.lower().split(",")]
    checks = (
        all(word in name for word in words),
        all(tag in tags for tag in filters),
        all(name.startswith(author.lower() + "/") for author in params.get("author", ())),
        all(repository.about.get("pipeline_tag") == tag for tag in params.get("pipeline_tag", ())),
        all(bool(repository.gated) == (text.lower() == "true") for text in params.get("gated", ())),
        all(_within(repository, bounds) for bounds in params.get("num_parameters", ())),
    )
    return all(checks)


def search(repositories: Sequence[Repository], params: Mapping[str, Sequence[str]]) -> list[Repository]:
    """The public models that match all parameters, in the order asked for (the hub's own: trending).

    Raises:
        BadSearchError: for an unknown order.
    """
    order = (params.get("sort") or ["trendingScore"])[0]
    if order not in _SORTS:
        raise BadSearchError(f"✖ Invalid sort: {order}")
    found = [item for item in repositories if not item.private and _is_wanted(item, params)]
    dated = order in {"createdAt", "lastModified"}
    found.sort(key=lambda item: (item.about.get(order, "" if dated else 0), item.id), reverse=True)
    return found


def cursor(offset: int) -> str:
    """An opaque mark of where the next page starts."""
    return base64.urlsafe_b64encode(b'{"$or":[%d]}' % offset).decode()


def offset_of(mark: str) -> int:
    """What ``cursor`` was made from. Raises BadSearchError."""
    try:
        return int(base64.urlsafe_b64decode(mark)[8:-2])
    except (ValueError, binascii.Error) as error:
        raise BadSearchError("Invalid cursor") from error
