"""The few settings that a gateway needs, out of the file that the supervisor wrote."""

from pathlib import Path, PurePosixPath

import msgspec

from aimindserve.domain.paths import DataPaths, gateway_socket, server_socket
from aimindserve.domain.units import KIB, MIB


class ConfigError(Exception):
    """The settings file cannot be used. The message says why."""


class GatewayConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds. Fields of the file that are not named here are for others."""

    host: str
    port: int
    data_dir: str
    run_dir: str
    public_url: str | None = None
    tls_certificate: str = ""
    tls_key: str = ""
    gateway_processes: int = 1
    body_budget_bytes: int = 512 * MIB
    max_body_bytes: int = 32 * MIB
    max_other_body_bytes: int = 1 * MIB
    max_header_bytes: int = 16 * KIB
    max_headers: int = 100
    header_timeout: float = 10.0
    body_idle_timeout: float = 15.0
    keepalive_timeout: float = 75.0
    stream_idle_timeout: float = 120.0
    # 600 s is what the official OpenAI clients wait by default: giving up earlier would be our fault.
    first_byte_timeout: float = 600.0
    trusted_proxies: tuple[str, ...] = ()
    key_concurrency: int = 16
    key_queue: int = 64
    model_queue: int = 256
    drain_seconds: float = 10.0
    usage_spool_bytes: int = 64 * MIB
    media_policy: str = "public"
    media_hosts: tuple[str, ...] = ()
    request_log_sample: float = 0.0
    request_log_prompts: tuple[str, ...] = ()

    @property
    def paths(self) -> DataPaths:
        """Names inside the data folder."""
        return DataPaths(PurePosixPath(self.data_dir))

    @property
    def server_socket(self) -> str:
        """The management server's HTTP socket."""
        return str(server_socket(PurePosixPath(self.run_dir)))

    @property
    def gateway_socket(self) -> str:
        """The server's socket for gateways."""
        return str(gateway_socket(PurePosixPath(self.run_dir)))

    @property
    def scheme(self) -> str:
        """How people reach us, as far as the settings tell."""
        return "https" if self.tls_certificate or (self.public_url or "").startswith("https:") else "http"


def load_config(file: Path) -> GatewayConfig:
    """The settings in ``file``.

    Raises:
        ConfigError: it is missing or damaged.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=GatewayConfig)
    except OSError as error:
        raise ConfigError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"The settings file {file} is damaged: {error}.") from error
