"""Settings: each declared once, with its default and its help. Flag > environment > file > default.

The supervisor resolves them once and writes them as JSON; the server and the gateways read that file."""

import difflib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from aimindserve.domain.access import parse_networks
from aimindserve.domain.addresses import MediaPolicy, parse_allowed_host
from aimindserve.domain.nodes import Labels
from aimindserve.domain.paths import DataPaths, PurePosixPath, run_dir, settings_file
from aimindserve.domain.units import GIB, KIB, MIB
from aimindserve.server.files import make_private_folder, replace_private_file

ENVIRONMENT_PREFIX = "AIMINDSERVE_"
# Names that the world uses already; ours win.
_FOREIGN_NAMES = {
    "huggingface_token": "HF_TOKEN",
    "huggingface_endpoint": "HF_ENDPOINT",
    "modelscope_token": "MODELSCOPE_API_TOKEN",
    "modelscope_endpoint": "MODELSCOPE_ENDPOINT",
    "offline": "HF_HUB_OFFLINE",
    "huggingface_cache": "HF_HUB_CACHE",
}
SECRET_NAMES = {"huggingface_token", "modelscope_token"}
HUGGING_FACE = "https://huggingface.co"
MODEL_SCOPE = "https://modelscope.cn"
_UNITS = {"": 1, "b": 1, "k": KIB, "kib": KIB, "m": MIB, "mib": MIB, "g": GIB, "gib": GIB}


class SettingsError(Exception):
    """A setting cannot be used. The message names it and says what to do."""


def _parse_list(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _parse_labels(value: Any) -> Any:
    """``room=lab,disk=ssd``; a mapping in a file."""
    if not isinstance(value, str):
        return value
    return {name.strip(): text.strip() for name, _, text in (part.partition("=") for part in _parse_list(value))}


def _parse_bytes(value: Any) -> Any:
    match = re.fullmatch(r"\s*(\d+)\s*([a-zA-Z]*)\s*", value) if isinstance(value, str) else None
    if match is None or match[2].lower() not in _UNITS:
        return value
    return int(match[1]) * _UNITS[match[2].lower()]


def _default_data_dir() -> str:
    if os.geteuid() == 0:
        return "/var/lib/aimindserve"
    return str(Path.home() / ".local/share/aimindserve")


def _default_port() -> int:
    return 80 if os.geteuid() == 0 else 8080


def _parse_address(value: Any) -> Any:
    return value.strip().rstrip("/") if isinstance(value, str) else value


Endpoint = Annotated[str, BeforeValidator(_parse_address), Field(pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*)?$")]


def _parse_networks(value: Any) -> Any:
    return tuple(str(one) for one in parse_networks(_parse_list(value))) if value else ()


def _parse_file(value: Any) -> Any:
    return str(Path(value).expanduser().absolute()) if isinstance(value, str) and value else value


FilePath = Annotated[str, BeforeValidator(_parse_file)]
Networks = Annotated[tuple[str, ...], BeforeValidator(_parse_networks)]
Names = Annotated[tuple[str, ...], BeforeValidator(_parse_list)]
NodeLabels = Annotated[Labels, BeforeValidator(_parse_labels)]
Bytes = Annotated[int, BeforeValidator(_parse_bytes), Field(ge=0)]
Period = Annotated[float, Field(gt=0)]


class Settings(BaseModel):
    """All settings. Names are those of flags (``--data-dir``), environment (``AIMINDSERVE_DATA_DIR``) and file."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    host: str = Field("0.0.0.0", description="Address to listen on.")
    port: int = Field(default_factory=_default_port, ge=0, le=65535, description="Public port: 80 as root, else 8080.")
    data_dir: str = Field(
        default_factory=_default_data_dir,
        description="Folder of everything that is kept: /var/lib/aimindserve as root, else ~/.local/share/aimindserve.",
    )
    run_dir: str = Field("", description="Folder of sockets. Empty: inside the data folder.")
    database_url: str = Field(
        "", repr=False, description="postgresql://user:password@host/name. Empty: SQLite in the data folder."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+/?$",
        description="Address at which people reach this server, when a reverse proxy stands in front of it.",
    )
    tls_certificate: FilePath = Field(
        "", description="PEM file with the server's certificate and its chain: people connect by https. Needs tls_key."
    )
    tls_key: FilePath = Field("", description="PEM file with the certificate's key, without a password.")
    allowed_hosts: Names = Field(
        (), description="Host names that this server answers for, besides its own names and addresses."
    )
    demo: bool = Field(default=False, description="Deploy the demo model at the first start.")
    huggingface_token: SecretStr | None = Field(None, description="Token for gated models. HF_TOKEN works too.")
    modelscope_token: SecretStr | None = Field(
        None, description="Token for ModelScope. MODELSCOPE_API_TOKEN works too."
    )
    huggingface_token_file: str | None = Field(
        None, description="File that holds the token for gated models, such as a container's secret."
    )
    modelscope_token_file: str | None = Field(None, description="File that holds the token for ModelScope.")
    huggingface_endpoint: Endpoint = Field(
        HUGGING_FACE, description="Address of Hugging Face or of a mirror. HF_ENDPOINT works too."
    )
    modelscope_endpoint: Endpoint = Field(
        MODEL_SCOPE, description="Address of ModelScope. MODELSCOPE_ENDPOINT works too."
    )
    hub_proxy: str | None = Field(
        None,
        repr=False,
        pattern=r"^https?://\S+$",
        description="Proxy for the hubs: http://host:port. Empty: what HTTPS_PROXY says.",
    )
    download_rate_limit: Bytes | None = Field(
        None, description="Most bytes per second of all downloads together, such as 20MiB. Empty: no limit."
    )
    offline: bool = Field(default=False, description="Ask no hub for anything. HF_HUB_OFFLINE works too.")
    huggingface_cache: Names = Field(
        (),
        description="Hugging Face cache folders whose files are used where they lie. "
        "Default: HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    gateway_processes: int = Field(1, ge=1, le=64, description="Number of gateway processes.")
    node_labels: NodeLabels = Field(
        default_factory=dict,
        description="Labels of this machine, such as room=lab,disk=ssd. Placement wishes can ask for them.",
    )
    declared_fleet: str | None = Field(None, description="JSON file with hardware to pretend, for tests and previews.")
    llama_server: str | None = Field(
        None, description="Path of a llama-server or llama-box program. Empty: found on the PATH."
    )
    llama_threads: int | None = Field(None, ge=1, le=1024, description="CPU threads of a llama.cpp engine.")
    body_budget_bytes: Bytes = Field(
        512 * MIB, description="Bytes of request bodies that a gateway holds at once, over all requests."
    )
    max_body_bytes: Bytes = Field(32 * MIB, description="Largest body of an inference request.")
    max_header_bytes: Bytes = Field(16 * KIB, description="Largest head of a request.")
    max_headers: int = Field(100, ge=8, le=1000, description="Most headers of a request.")
    usage_spool_bytes: Bytes = Field(
        64 * MIB, description="Bytes of usage that a gateway keeps on disk while the server does not take it."
    )
    request_log_sample: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of inference requests noted in logs/requests.jsonl, without their content.",
    )
    request_log_prompts: Names = Field(
        (), description="Models of which those requests are noted with what was asked, pictures left out."
    )
    header_timeout: Period = Field(10.0, description="Seconds for a request's head to arrive.")
    body_idle_timeout: Period = Field(15.0, description="Seconds without a byte of a request's body.")
    keepalive_timeout: Period = Field(75.0, description="Seconds that an idle connection is kept.")
    stream_idle_timeout: Period = Field(120.0, description="Seconds without a byte of an engine's answer.")
    trusted_proxies: Networks = Field(
        (),
        description="Reverse proxies (addresses, CIDR) that are believed where a request comes from (X-Forwarded-For).",
    )
    media_policy: MediaPolicy = Field(
        MediaPolicy.PUBLIC,
        description="Pictures that requests name by address: fetched from public addresses (public), "
        "from media_hosts only (allowlist), never (off).",
    )
    media_hosts: Names = Field(
        (),
        description="Where pictures may be fetched from with the policy allowlist: pictures.example.com, "
        "*.example.com, 10.1.0.0/16, with :port if it is not 80 or 443. Inner addresses need their network here.",
    )
    key_concurrency: int = Field(
        16, ge=1, description="Requests of one key that run at once, unless the key says else."
    )
    key_queue: int = Field(64, ge=0, description="Requests of one key that wait.")
    model_queue: int = Field(256, ge=0, description="Requests that wait for one model to wake.")

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, given: Any) -> Any:
        """Folders as absolute paths, and the values that follow from the data folder."""
        values = dict(given)
        data = Path(values.get("data_dir") or _default_data_dir()).expanduser().absolute()
        values["data_dir"] = str(data)
        values["run_dir"] = values.get("run_dir") or str(run_dir(str(data), tempfile.gettempdir(), os.geteuid()))
        values["database_url"] = _database_url(values.get("database_url") or "", data)
        return values

    @field_validator("media_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            parse_allowed_host(host)
        return hosts

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key belong together: name both files, or none")
        return self

    @property
    def paths(self) -> DataPaths:
        """Where things lie in the data folder."""
        return DataPaths(PurePosixPath(self.data_dir))

    @property
    def is_https(self) -> bool:
        """Whether people reach the server by https, so that cookies are marked secure."""
        return bool(self.tls_certificate) or (self.public_url or "").startswith("https:")


def _database_url(url: str, data: Path) -> str:
    if not url:
        return f"sqlite+aiosqlite:///{data / 'database.sqlite'}"
    scheme, _, rest = url.partition("://")
    drivers = {"postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
    return f"{drivers.get(scheme, scheme)}://{rest}"


def resolve_settings(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """Settings from all origins. ``flags``: by setting name, None where not given; ``file``: YAML, or None.

    Raises:
        SettingsError: the file cannot be read, or a setting is unknown or has a bad value.
    """
    values: dict[str, Any] = {} if file is None else _read_file(file)
    for name in Settings.model_fields:
        text = environment.get(f"{ENVIRONMENT_PREFIX}{name.upper()}")
        if text is None and name not in values and name in _FOREIGN_NAMES:
            text = environment.get(_FOREIGN_NAMES[name]) or None
        if text is not None:
            values[name] = text
    values |= {name: value for name, value in flags.items() if value is not None}
    values.setdefault("huggingface_cache", _usual_cache(environment))
    for name in SECRET_NAMES:
        if not values.get(name) and values.get(f"{name}_file"):
            values[name] = _token_in(Path(values[f"{name}_file"]), f"{name}_file")
    return _validated(values, file)


def _token_in(file: Path, setting: str) -> str | None:
    """The first line of a file, None where it is empty."""
    try:
        return next(iter(file.read_text().split()), None)
    except OSError as error:
        raise SettingsError(f"The file {file} of the setting {setting} cannot be read: {error.strerror}.") from error


def given_by_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment says something of settings that are no secrets, and the home that defaults follow from."""
    open_names = [name for name in Settings.model_fields if name not in SECRET_NAMES]
    ours = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in open_names}
    foreign = {_FOREIGN_NAMES[name] for name in open_names if name in _FOREIGN_NAMES}
    return {name: environment[name] for name in sorted(ours | foreign | {"HOME", "HF_HOME"}) if name in environment}


def _usual_cache(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Where Hugging Face's own programs keep files on this machine, if they do."""
    home = Path(environment.get("HF_HOME") or Path(environment.get("HOME", "/")) / ".cache" / "huggingface")
    return (str(home / "hub"),) if (home / "hub").is_dir() else ()


def _read_file(file: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  # only a start with a file needs it

    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        raise SettingsError(f"The configuration file {file} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"The configuration file {file} is not YAML: {error}.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"The configuration file {file} must hold lines like 'port: 8080'.")
    return {str(name).replace("-", "_"): value for name, value in content.items()}


def _validated(values: Mapping[str, Any], file: Path | None) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error, file)) from None


def _explain(error: ValidationError, file: Path | None) -> str:
    lines: list[str] = []
    # Inputs stay out of the message: one of them may be a secret.
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        name = ".".join(str(part) for part in problem["loc"][:1])
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, list(Settings.model_fields), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            lines.append(f"There is no setting {name}{f' (in {file})' if file else ''}.{hint}")
        else:
            lines.append(f"The setting {name} cannot have this value: {problem['msg'].lower()}.")
    return "\n".join(lines)


def save_settings(settings: Settings) -> Path:
    """Makes the data and run folders (0700) and writes the settings for the child processes (0600). Secrets go to a
    file of their own in the ``keys`` folder. Returns the settings file's path.

    Raises:
        OSError: a folder or file cannot be made.
    """
    save_tokens(settings)
    make_private_folder(Path(settings.run_dir))
    file = Path(settings_file(PurePosixPath(settings.run_dir)))
    replace_private_file(file, settings.model_dump_json(exclude=SECRET_NAMES).encode())
    return file


def save_tokens(settings: Settings) -> None:
    """Makes the data folder and ``keys`` in it (0700) and writes the tokens that are given (0600).

    Raises:
        OSError: a folder or file cannot be made.
    """
    for folder in (Path(settings.data_dir), Path(settings.paths.keys)):
        make_private_folder(folder)
    for token, path in (
        (settings.huggingface_token, settings.paths.huggingface_token),
        (settings.modelscope_token, settings.paths.modelscope_token),
    ):
        if token is not None:
            replace_private_file(Path(path), token.get_secret_value().encode())


def load_settings(file: Path) -> Settings:
    """Settings as written by ``save_settings``.

    Raises:
        SettingsError: the file is missing or damaged.
    """
    try:
        return Settings.model_validate_json(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise SettingsError(_explain(error, file)) from None


def without_password(url: str) -> str:
    """A database address that may be shown."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)
