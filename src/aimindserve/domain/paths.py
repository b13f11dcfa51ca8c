"""Where things lie in the data folder. Pure: names only, nothing is created or looked at."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

# sun_path holds 108 bytes on Linux; the longest socket name below it takes 13.
_LONGEST_RUN_DIR = 90


@dataclass(frozen=True, slots=True)
class DataPaths:
    """Names inside one data folder (mode 0700)."""

    root: PurePosixPath

    @property
    def initial_admin_password(self) -> PurePosixPath:
        return self.root / "initial_admin_password"

    @property
    def database(self) -> PurePosixPath:
        return self.root / "database.sqlite"

    @property
    def keys(self) -> PurePosixPath:
        return self.root / "keys"

    @property
    def pepper(self) -> PurePosixPath:
        """32 random bytes, mode 0600, that key the digests of API keys and sessions."""
        return self.keys / "pepper"

    @property
    def local_cli_key(self) -> PurePosixPath:
        """A management key for the command line of the account that runs the server, mode 0600."""
        return self.keys / "local-cli"

    @property
    def huggingface_token(self) -> PurePosixPath:
        """The hub's token, mode 0600."""
        return self.keys / "huggingface-token"

    @property
    def modelscope_token(self) -> PurePosixPath:
        """As ``huggingface_token``."""
        return self.keys / "modelscope-token"

    @property
    def node_id(self) -> PurePosixPath:
        """The name of this machine as a node."""
        return self.root / "node-id"

    @property
    def demo_request(self) -> PurePosixPath:
        """A request about a picture, ready to be sent to the demo model."""
        return self.root / "demo-request.json"

    @property
    def unsent_usage(self) -> PurePosixPath:
        """Folder of usage that gateways could not hand over yet."""
        return self.root / "usage-unsent"

    @property
    def limit_counts(self) -> PurePosixPath:
        """What limited keys and people have used, for the next start of a gateway."""
        return self.root / "limit-counts.json"

    @property
    def request_log(self) -> PurePosixPath:
        """Finished inference requests, a line each, without what was asked."""
        return self.logs / "requests.jsonl"

    @property
    def routing_table(self) -> PurePosixPath:
        return self.root / "routing-table.json"

    @property
    def server_lock(self) -> PurePosixPath:
        return self.root / "server.lock"

    @property
    def locks(self) -> PurePosixPath:
        return self.root / "locks"

    @property
    def replicas(self) -> PurePosixPath:
        return self.root / "replicas"

    @property
    def models(self) -> PurePosixPath:
        """The store of downloaded model files."""
        return self.root / "models"

    @property
    def engines(self) -> PurePosixPath:
        """Engines that are installed for the product, in ``<engine>/<version>``."""
        return self.root / "engines"

    @property
    def secrets_key(self) -> PurePosixPath:
        """32 random bytes, mode 0600, that encrypt tokens in the database."""
        return self.keys / "secrets"

    @property
    def backups(self) -> PurePosixPath:
        """Backups that the server makes by itself, before it changes the schema of the database."""
        return self.root / "backups"

    @property
    def staged_restore(self) -> PurePosixPath:
        """A backup on its way into the data folder."""
        return self.root / ".restore"

    @property
    def logs(self) -> PurePosixPath:
        return self.root / "logs"


def run_dir(data_dir: str, temporary_dir: str, uid: int) -> PurePosixPath:
    """Folder of the sockets and of ``settings.json``: ``<data>/run``, or a short name when that would not fit
    a Unix socket address.

    ``temporary_dir`` is the system's folder for temporary files, ``uid`` the numeric user that owns the data.
    """
    inside = PurePosixPath(data_dir) / "run"
    if len(str(inside).encode()) <= _LONGEST_RUN_DIR:
        return inside
    short = sha256(str(data_dir).encode()).hexdigest()[:8]
    return PurePosixPath(temporary_dir) / f"aimindserve-{uid}-{short}"


def server_socket(run: PurePosixPath) -> PurePosixPath:
    """The management server's HTTP socket."""
    return run / "server.sock"


def gateway_socket(run: PurePosixPath) -> PurePosixPath:
    """The server's socket to which gateways connect (messages of ``domain.channel``)."""
    return run / "gateway.sock"


def supervisor_lock(run: PurePosixPath) -> PurePosixPath:
    """Held by the supervisor as long as it lives; holds its pid."""
    return run / "supervisor.lock"


def settings_file(run: PurePosixPath) -> PurePosixPath:
    """The resolved settings, JSON, mode 0600."""
    return run / "settings.json"
