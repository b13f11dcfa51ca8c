"""What the management API answers about keys, people and what they used."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, field_validator

from aimindserve.domain.access import Role, Scope, parse_networks
from aimindserve.domain.aliases import AliasTarget
from aimindserve.domain.limits import Limits
from aimindserve.domain.specs import DeploymentName, no_null
from aimindserve.domain.views import View

_LONGEST_EXPIRY_SECONDS = 100 * 366 * 24 * 3600
_FORBID = ConfigDict(frozen=True, extra="forbid")

Count = Annotated[int, Field(ge=1, le=10**9)]
TokenCount = Annotated[int, Field(ge=1, le=10**15)]


def _network(text: str) -> str:
    """A range of addresses in its usual spelling."""
    return str(parse_networks((text.strip(),))[0])


KeyName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Scopes = Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
ModelNames = Annotated[tuple[DeploymentName, ...], Field(max_length=256)]
Networks = Annotated[
    tuple[Annotated[str, Field(max_length=64), AfterValidator(_network)], ...], Field(min_length=1, max_length=64)
]


class LimitsView(View):
    """``domain.limits.Limits``, in a minute, at once and in a calendar month (UTC). None: no limit of that kind."""

    model_config = _FORBID

    requests_per_minute: Count | None = None
    tokens_per_minute: TokenCount | None = None
    images_per_minute: Count | None = None
    concurrent: Count | None = None
    tokens_per_month: TokenCount | None = None


def limits_of(view: LimitsView | None) -> Limits | None:
    """What is stored and published; None when nothing is limited."""
    limits = Limits() if view is None else Limits(**view.model_dump())
    return None if limits == Limits() else limits


def limits_view(limits: Limits | None) -> LimitsView:
    """The answer about ``limits``."""
    limits = limits or Limits()
    return LimitsView(**{name: getattr(limits, name) for name in LimitsView.model_fields})


class KeyRequest(View):
    """Body of ``POST /keys``. ``models`` None: all; ``expires_in`` seconds or None: never; ``networks``: addresses that
    it may be used from (CIDR), None: everywhere."""

    model_config = _FORBID

    name: KeyName
    scopes: Scopes = (Scope.INFERENCE,)
    models: ModelNames | None = None
    expires_in: int | None = Field(default=None, ge=60, le=_LONGEST_EXPIRY_SECONDS)
    networks: Networks | None = None
    limits: LimitsView | None = None


class KeyPatch(View):
    """Body of ``PATCH /keys/{key_id}``: what is to change; fields that are left out stay. ``expires_in``: seconds from
    now."""

    model_config = _FORBID

    name: KeyName | None = None
    scopes: Scopes | None = None
    models: ModelNames | None = None
    expires_in: int | None = Field(default=None, ge=60, le=_LONGEST_EXPIRY_SECONDS)
    networks: Networks | None = None
    limits: LimitsView | None = None
    disabled: bool | None = None

    _not_null = field_validator("name", "scopes", "disabled", mode="before")(no_null)


class KeyView(View):
    """An API key without its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] | None
    created_at: float
    expires_at: float | None
    last_used_at: float | None
    disabled: bool
    owner: str
    networks: tuple[str, ...] | None
    limits: LimitsView
    tokens_this_month: int


class KeyCreated(KeyView):
    """The answer to making a key: the only time that the whole ``token`` is shown."""

    token: str


class UserView(View):
    """A person. ``last_login_at`` None: never."""

    id: str
    username: str
    role: Role
    disabled: bool
    must_change_password: bool
    created_at: float
    last_login_at: float | None
    limits: LimitsView
    tokens_this_month: int


class UserRequest(View):
    """Body of ``POST /users``. The person must change ``password`` at the first login. ``limits``: of all keys and
    sessions together."""

    model_config = _FORBID

    username: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$")
    password: str = Field(max_length=1024, repr=False)
    role: Role = Role.USER
    limits: LimitsView | None = None


class UserPatch(View):
    """Body of ``PATCH /users/{user_id}``: what is to change; fields that are left out stay. A new ``password`` must be
    changed at the next login and ends all sessions."""

    model_config = _FORBID

    role: Role | None = None
    disabled: bool | None = None
    password: str | None = Field(default=None, max_length=1024, repr=False)
    limits: LimitsView | None = None

    _not_null = field_validator("role", "disabled", "password", mode="before")(no_null)


class AliasView(View):
    """A further public name. ``targets``: deployments with their weights; ``missing``: those of them that do not exist
    any more."""

    name: str
    targets: tuple[AliasTarget, ...]
    fallback: str | None
    missing: tuple[str, ...]
    created_at: float
    updated_at: float


class BrowserSessionView(View):
    """Somebody who is logged in with a browser. ``id`` names the session and opens nothing. ``address``, ``agent``:
    where the login came from, and what the browser called itself. ``current``: the one that asks."""

    id: str
    user_id: str
    username: str
    created_at: float
    seen_at: float
    expires_at: float
    address: str
    agent: str
    current: bool


class UsageView(View):
    """Usage of one day (UTC, ``YYYY-MM-DD``), by what was asked for: model, key, user. The others are empty. A key or
    person that is deleted has an id and no name; ``key_id`` "" with ``by=key``: used from the web page. Cached and
    image tokens are parts of the prompt tokens, as far as engines tell them."""

    day: str
    model: str
    key_id: str
    key: str
    user_id: str
    user: str
    requests: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    image_tokens: int
    images: int
