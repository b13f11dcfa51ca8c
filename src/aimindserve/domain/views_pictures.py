"""What the management API answers about pictures before they are sent."""

from pydantic import BaseModel, ConfigDict, Field

from aimindserve.domain.views import View

_MOST_PICTURES, _LONGEST_SIDE = 64, 65_536


class PictureSize(BaseModel):
    """A picture's size in pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(ge=1, le=_LONGEST_SIDE)
    height: int = Field(ge=1, le=_LONGEST_SIDE)


class ImageTokensRequest(BaseModel):
    """Body of ``POST /deployments/{name}/image-tokens``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pictures: tuple[PictureSize, ...] = Field(min_length=1, max_length=_MOST_PICTURES)


class ImageTokensView(View):
    """What one picture takes of the context. ``tokens`` None: the model sees none, or its rule is not known.

    ``exact``: counted as the engine counts; else near it. ``seen_width`` and ``seen_height``: pixels that the model
    sees the picture at, where it keeps the picture's shape; boxes in pixels are of that size.
    """

    tokens: int | None = None
    exact: bool = False
    seen_width: int | None = None
    seen_height: int | None = None
