"""The tables. Rows hold what people asked for and what nodes reported; phases are computed, never stored.

One writer per column group: specs by the API, identity and stop orders by the replica reconciler, assignments by the
placement reconciler, observations by the report handler, how many replicas run now by the demand reconciler."""

from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from aimindserve.domain.aliases import AliasSpec
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.limits import Limits
from aimindserve.domain.nodes import NodeFacts
from aimindserve.domain.reasons import Reason
from aimindserve.domain.relief import Relief
from aimindserve.domain.replicas import Assignment, ReplicaObservation
from aimindserve.domain.scaling import Scale
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.domain.startup import StartTimes
from aimindserve.server.db.types import PLAIN_JSON, Seconds, Shaped

# SQLite gives only a plain INTEGER primary key its own row id.
RowId = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """All tables' metadata. Constraints have names, so that a later migration can change them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class DeploymentRow(Base):
    """A deployment (``domain.replicas.Deployment``). ``wanted`` is a ``Wanted`` value."""

    __tablename__ = "deployments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    spec: Mapped[DeploymentSpec] = mapped_column(Shaped(DeploymentSpec))
    wanted: Mapped[str] = mapped_column(String(16), default="running")
    generation: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)
    facts: Mapped[ModelFacts | None] = mapped_column(Shaped(ModelFacts))
    created_at: Mapped[float] = mapped_column(Seconds)
    updated_at: Mapped[float] = mapped_column(Seconds)
    relief: Mapped[Relief | None] = mapped_column(Shaped(Relief))
    scale: Mapped[Scale | None] = mapped_column(Shaped(Scale))


class ReplicaRow(Base):
    """A replica (``domain.replicas.Replica``). ``node_id`` repeats the assignment's for queries."""

    __tablename__ = "replicas"
    __table_args__ = (
        Index("replicas_by_deployment", "deployment_id"),
        Index("replicas_by_node", "node_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployments.id", ondelete="RESTRICT"))
    generation: Mapped[int]
    index: Mapped[int]
    spec: Mapped[DeploymentSpec] = mapped_column(Shaped(DeploymentSpec))
    facts: Mapped[ModelFacts] = mapped_column(Shaped(ModelFacts))
    created_at: Mapped[float] = mapped_column(Seconds)
    node_id: Mapped[str | None] = mapped_column(ForeignKey("nodes.id", ondelete="RESTRICT"))
    assignment: Mapped[Assignment | None] = mapped_column(Shaped(Assignment))
    waiting_for: Mapped[Reason | None] = mapped_column(Shaped(Reason))
    stop_revision: Mapped[int | None]
    observation: Mapped[ReplicaObservation | None] = mapped_column(Shaped(ReplicaObservation))
    observed_at: Mapped[float | None] = mapped_column(Seconds)
    finishing_since: Mapped[float | None] = mapped_column(Seconds)


class AliasRow(Base):
    """A further public name (``domain.aliases``). Deployments are known by their names, and may come later or go."""

    __tablename__ = "aliases"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    spec: Mapped[AliasSpec] = mapped_column(Shaped(AliasSpec))
    created_at: Mapped[float] = mapped_column(Seconds)
    updated_at: Mapped[float] = mapped_column(Seconds)


class NodeRow(Base):
    """A machine. ``desired_revision`` rises in the transaction that changes what it should run; ``acked_revision`` is
    the highest that it says to act on. ``labels``: those given by administrators, beside those of its own setting;
    ``drained_at``: since when it takes no new replicas, None while it takes them."""

    __tablename__ = "nodes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    hostname: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(255), default="127.0.0.1")
    boot_id: Mapped[str] = mapped_column(String(64), default="")
    facts: Mapped[NodeFacts | None] = mapped_column(Shaped(NodeFacts))
    desired_revision: Mapped[int] = mapped_column(default=1)
    acked_revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[float] = mapped_column(Seconds)
    last_report_at: Mapped[float | None] = mapped_column(Seconds)
    labels: Mapped[dict[str, str]] = mapped_column(Shaped(dict[str, str]), default=dict)
    drained_at: Mapped[float | None] = mapped_column(Seconds)


class UserRow(Base):
    """A person. ``password_hash`` is an argon2id string; ``role`` an ``access.Role`` value; ``limits`` are those of all
    keys and sessions together. Names are kept in lower case, so that two people never differ by case alone."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    disabled: Mapped[bool] = mapped_column(default=False)
    must_change_password: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[float] = mapped_column(Seconds)
    last_login_at: Mapped[float | None] = mapped_column(Seconds)
    limits: Mapped[Limits | None] = mapped_column(Shaped(Limits))
    role: Mapped[str] = mapped_column(String(16), default="user", server_default="user")


class SessionRow(Base):
    """A browser session, found by the digest of its cookie. The cookie's value itself is nowhere. ``address`` and
    ``agent``: where the login came from and what the browser called itself."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_by_user", "user_id"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[float] = mapped_column(Seconds)
    seen_at: Mapped[float] = mapped_column(Seconds)
    address: Mapped[str] = mapped_column(String(64), default="", server_default="")
    agent: Mapped[str] = mapped_column(String(200), default="", server_default="")


class ApiKeyRow(Base):
    """An API key. ``id`` is the middle part of the token; ``digest`` the HMAC of the whole token.

    ``models`` None: all; ``networks`` None: from everywhere, else CIDR. ``system``: made by the server for itself, not
    shown and not counted as anybody's.
    """

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_by_user", "user_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[tuple[str, ...]] = mapped_column(Shaped(tuple[str, ...]))
    models: Mapped[tuple[str, ...] | None] = mapped_column(Shaped(tuple[str, ...]))
    expires_at: Mapped[float | None] = mapped_column(Seconds)
    disabled: Mapped[bool] = mapped_column(default=False)
    system: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[float] = mapped_column(Seconds)
    last_used_at: Mapped[float | None] = mapped_column(Seconds)
    networks: Mapped[tuple[str, ...] | None] = mapped_column(Shaped(tuple[str, ...]))
    limits: Mapped[Limits | None] = mapped_column(Shaped(Limits))


class EventRow(Base):
    """One change, written in the transaction that made it. Ids rise in commit order (writers are serialised), so
    "everything after id N" misses nothing. ``payload`` never holds a secret."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_by_deployment", "deployment", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    at: Mapped[float] = mapped_column(Seconds)
    kind: Mapped[str] = mapped_column(String(64))
    deployment: Mapped[str | None] = mapped_column(String(63))
    subject: Mapped[str] = mapped_column(String(128), default="")
    actor: Mapped[str] = mapped_column(String(128))
    payload: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)


class UsageRow(Base):
    """One finished inference request (``domain.usage.UsageRecord``). No foreign keys: usage outlives what it counts."""

    __tablename__ = "usage"
    __table_args__ = (
        Index("usage_by_time", "started_at"),
        Index("usage_by_model", "model", "started_at"),
    )

    request_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    started_at: Mapped[float] = mapped_column(Seconds)
    endpoint: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(255))
    deployment_id: Mapped[str] = mapped_column(String(32))
    replica_id: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[str] = mapped_column(String(32))
    key_id: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[int]
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[float] = mapped_column(Seconds)
    ttft_ms: Mapped[float | None] = mapped_column(Seconds)
    counted_by: Mapped[str] = mapped_column(String(16))
    cached_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    image_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    images: Mapped[int] = mapped_column(server_default="0")


class UsageDayRow(Base):
    """Sums over the usage of one day, added to in the transaction that stores its rows: what pages and monthly limits
    are read from, however many requests there were. ``day``: days since 1970 (UTC); ``key_id`` "" for sessions."""

    __tablename__ = "usage_days"
    __table_args__ = (
        Index("usage_days_by_key", "key_id", "day"),
        Index("usage_days_by_user", "user_id", "day"),
    )

    day: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(String(255), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    failed: Mapped[int] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger)
    image_tokens: Mapped[int] = mapped_column(BigInteger)
    images: Mapped[int] = mapped_column(BigInteger)


class SettingRow(Base):
    """A fact that the server remembers about itself or that an administrator set while it runs."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[Any] = mapped_column(PLAIN_JSON)
    updated_at: Mapped[float] = mapped_column(Seconds)


class SecretRow(Base):
    """A token for another service, or a proxy with its password, encrypted (``server.secrets``). ``hint``: the last
    four characters of a token."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(String(8))
    updated_at: Mapped[float] = mapped_column(Seconds)


class CodeApprovalRow(Base):
    """An administrator's word that Python code of a repository may run, for exactly this commit."""

    __tablename__ = "code_approvals"

    hub: Mapped[str] = mapped_column(String(8), primary_key=True)
    repository: Mapped[str] = mapped_column(String(200), primary_key=True)
    revision: Mapped[str] = mapped_column(String(64), primary_key=True)
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[float] = mapped_column(Seconds)


class ModelOrderRow(Base):
    """What a person wants of a model's files on a node. ``wanted``: ``stored``, ``paused`` or ``deleted`` (until the
    node no longer has them). ``key``: ``domain.files.model_key``, or for a local path a digest of its source; such a
    row only remembers the path. ``attempt`` rises with each wish to try again. ``folder``: where on the node the files
    are brought from."""

    __tablename__ = "model_orders"

    node_id: Mapped[str] = mapped_column(ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(4096))
    facts: Mapped[ModelFacts] = mapped_column(Shaped(ModelFacts))
    wanted: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[float] = mapped_column(Seconds)
    updated_at: Mapped[float] = mapped_column(Seconds)
    folder: Mapped[str | None] = mapped_column(String(4096))


class EnvironmentOrderRow(Base):
    """What a person wants of an engine on a node (``domain.environments.WantedEnvironment``). ``wanted``: ``installed``
    or ``removed`` (until the node no longer has it). ``program``: one that an administrator registered; such a row only
    remembers it."""

    __tablename__ = "environment_orders"

    node_id: Mapped[str] = mapped_column(ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    engine: Mapped[str] = mapped_column(String(32))
    version: Mapped[str] = mapped_column(String(64))
    variant: Mapped[str | None] = mapped_column(String(16))
    program: Mapped[str | None] = mapped_column(String(4096))
    wheels: Mapped[str | None] = mapped_column(String(4096))
    wanted: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[float] = mapped_column(Seconds)
    updated_at: Mapped[float] = mapped_column(Seconds)


class HubFactsRow(Base):
    """Facts of a hub's model at one commit, kept so that they need not be asked for again. ``source`` without its
    revision; the newest row of a source answers for it while the hub cannot be reached."""

    __tablename__ = "hub_facts"

    source: Mapped[str] = mapped_column(String(700), primary_key=True)
    revision: Mapped[str] = mapped_column(String(64), primary_key=True)
    facts: Mapped[ModelFacts] = mapped_column(Shaped(ModelFacts))
    at: Mapped[float] = mapped_column(Seconds)


class EstimateRow(Base):
    """An item of the memory estimate of one start beside what was measured, in bytes. No foreign keys: what was learned
    outlives the replica. ``family`` is the model's architecture, ``device`` the device's name. ``estimated`` is likely
    and ``high`` at most, as the start was booked; ``base`` without corrections, None where nothing is to be learned."""

    __tablename__ = "estimates"
    __table_args__ = (
        Index("estimates_by_family", "engine", "engine_version", "family"),
        Index("estimates_by_deployment", "deployment"),
    )

    replica_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    item: Mapped[str] = mapped_column(String(32), primary_key=True)
    deployment: Mapped[str] = mapped_column(String(63))
    source: Mapped[str] = mapped_column(String(4096))
    engine: Mapped[str] = mapped_column(String(32))
    engine_version: Mapped[str] = mapped_column(String(64))
    family: Mapped[str] = mapped_column(String(128))
    device: Mapped[str] = mapped_column(String(128))
    estimated: Mapped[int | None] = mapped_column(BigInteger)
    measured: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[float] = mapped_column(Seconds)
    on_gpu: Mapped[bool] = mapped_column(default=False, server_default=false())
    high: Mapped[int | None] = mapped_column(BigInteger)
    base: Mapped[int | None] = mapped_column(BigInteger)


class StartRow(Base):
    """The stages of the newest starts of a model in an engine (``domain.startup``), by its ``start_key``."""

    __tablename__ = "starts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    starts: Mapped[tuple[StartTimes, ...]] = mapped_column(Shaped(tuple[StartTimes, ...]))
    at: Mapped[float] = mapped_column(Seconds)


class CorrectionRow(Base):
    """A factor on an item of the estimate that starts taught (``domain.lessons``), for one version of an engine and one
    architecture. ``ratios``: measured by estimated of the starts that count, newest first: why it is so."""

    __tablename__ = "corrections"

    engine: Mapped[str] = mapped_column(String(32), primary_key=True)
    engine_version: Mapped[str] = mapped_column(String(64), primary_key=True)
    family: Mapped[str] = mapped_column(String(128), primary_key=True)
    on_gpu: Mapped[bool] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(String(32), primary_key=True)
    factor: Mapped[float] = mapped_column(Float)
    starts: Mapped[int]
    ratios: Mapped[list[float]] = mapped_column(PLAIN_JSON)
    at: Mapped[float] = mapped_column(Seconds)
