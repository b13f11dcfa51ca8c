"""The closed list of reasons: why something waits, failed or was refused, and what to do about it.

A reason is a code with parameters; its sentences, in English and Chinese, are in ``reason_texts``. Nothing else in the
product words a cause or a remedy."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "zh"]
ParameterValue = str | int | float


class ReasonCode(StrEnum):
    """Every cause that the product can name."""

    # Model files
    SOURCE_INVALID = "source_invalid"
    SOURCE_NOT_FOUND = "source_not_found"
    SOURCE_NOT_READABLE = "source_not_readable"
    SOURCE_NO_MODEL = "source_no_model"
    SOURCE_NOT_SUPPORTED = "source_not_supported"
    DEMO_UNKNOWN = "demo_unknown"
    GGUF_CORRUPT = "gguf_corrupt"
    FILE_NOT_GGUF = "file_not_gguf"
    GGUF_UNSUPPORTED = "gguf_unsupported"
    GGUF_NOT_A_MODEL = "gguf_not_a_model"
    GGUF_IS_PROJECTOR = "gguf_is_projector"
    SPLIT_INCOMPLETE = "split_incomplete"
    PROJECTOR_MISSING = "projector_missing"
    PROJECTOR_MISMATCH = "projector_mismatch"
    CONFIG_INVALID = "config_invalid"
    SAFETENSORS_CORRUPT = "safetensors_corrupt"
    FILE_CHANGED = "file_changed"
    # Hubs
    HUB_OFFLINE = "hub_offline"
    HUB_UNREACHABLE = "hub_unreachable"
    HUB_RATE_LIMITED = "hub_rate_limited"
    HUB_FILE_NOT_FOUND = "hub_file_not_found"
    REPOSITORY_NOT_FOUND = "repository_not_found"
    REPOSITORY_GATED = "repository_gated"
    REPOSITORY_NEEDS_TOKEN = "repository_needs_token"
    REPOSITORY_NO_MODEL = "repository_no_model"
    REVISION_NOT_FOUND = "revision_not_found"
    QUANTIZATION_NOT_FOUND = "quantization_not_found"
    PROJECTOR_NOT_FOUND = "projector_not_found"
    PICKLE_ONLY = "pickle_only"
    GGUF_UNJOINED = "gguf_unjoined"
    GGUF_OBSOLETE = "gguf_obsolete"
    TEXT_ONLY = "text_only"
    TOKEN_INVALID = "token_invalid"
    TOKEN_SCOPE = "token_scope"
    REMOTE_CODE_UNCONFIRMED = "remote_code_unconfirmed"
    # Model files on nodes
    DOWNLOAD_INTERRUPTED = "download_interrupted"
    DOWNLOAD_REFUSED = "download_refused"
    DOWNLOAD_NOT_FOUND = "download_not_found"
    DOWNLOAD_DAMAGED = "download_damaged"
    DOWNLOAD_NO_SPACE = "download_no_space"
    DOWNLOAD_OFFLINE = "download_offline"
    DOWNLOAD_PAUSED = "download_paused"
    IMPORT_SOURCE_UNKNOWN = "import_source_unknown"
    IMPORT_SEVERAL = "import_several"
    IMPORT_MISSING = "import_missing"
    IMPORT_DIFFERS = "import_differs"
    FILES_IN_USE = "files_in_use"
    FILE_NAME_UNSAFE = "file_name_unsafe"
    # Engine and parameters
    ENGINE_NOT_INSTALLED = "engine_not_installed"
    ENGINE_CANNOT_RUN = "engine_cannot_run"
    ARCHITECTURE_NOT_SUPPORTED = "architecture_not_supported"
    ARCHITECTURE_DROPPED = "architecture_dropped"
    CODE_NOT_TRUSTED = "code_not_trusted"
    GPUS_INDIVISIBLE = "gpus_indivisible"
    CACHE_TOO_SMALL = "cache_too_small"
    PARAMETER_MANAGED = "parameter_managed"
    PARAMETER_DENIED = "parameter_denied"
    PARAMETER_UNKNOWN = "parameter_unknown"
    PARAMETER_VALUE = "parameter_value"
    ENVIRONMENT_DENIED = "environment_denied"
    # Fit
    # Placement
    NO_NODE = "no_node"
    NO_USABLE_DEVICE = "no_usable_device"
    NODE_UNKNOWN = "node_unknown"
    MEMORY_INSUFFICIENT = "memory_insufficient"
    MEMORY_CLAIMED = "memory_claimed"
    MEMORY_IN_USE = "memory_in_use"
    HOST_MEMORY_INSUFFICIENT = "host_memory_insufficient"
    GPUS_TOO_FEW = "gpus_too_few"
    NODE_NOT_WISHED = "node_not_wished"
    DEVICE_STARTING = "device_starting"
    # Life of a replica
    WAITING_FOR_NODE = "waiting_for_node"
    DOWNLOADING = "downloading"
    DOWNLOAD_WAITING = "download_waiting"
    NODE_UNREACHABLE = "node_unreachable"
    STOP_REQUESTED = "stop_requested"
    STOPPED_BY_USER = "stopped_by_user"
    SCALED_TO_ZERO = "scaled_to_zero"
    RESTARTING = "restarting"
    ENGINE_PROGRAM_MISSING = "engine_program_missing"
    ENGINE_CRASHED = "engine_crashed"
    ENGINE_KILLED = "engine_killed"
    ENGINE_EXITED = "engine_exited"
    ENGINE_OUT_OF_MEMORY = "engine_out_of_memory"
    ENGINE_LOAD_FAILED = "engine_load_failed"
    ENGINE_REFUSED_PARAMETER = "engine_refused_parameter"
    ENGINE_CACHE_TOO_SMALL = "engine_cache_too_small"
    ENGINE_DEVICE_TAKEN = "engine_device_taken"
    ENGINE_NEEDS_CODE = "engine_needs_code"
    ENGINE_FILES_MISSING = "engine_files_missing"
    DRIVER_TOO_OLD = "driver_too_old"
    GPU_LINK_FAILED = "gpu_link_failed"
    ENGINE_ILLEGAL_INSTRUCTION = "engine_illegal_instruction"
    ENGINE_START_TIMEOUT = "engine_start_timeout"
    ENGINE_NOT_ANSWERING = "engine_not_answering"
    PORT_TAKEN = "port_taken"
    DISK_FULL = "disk_full"
    DEVICE_BUSY = "device_busy"
    # Node facts
    DRIVER_ABSENT = "driver_absent"
    DEVICE_PROBE_FAILED = "device_probe_failed"
    # Backups, archives and moves
    ARCHIVE_FOREIGN = "archive_foreign"
    ARCHIVE_DAMAGED = "archive_damaged"
    ARCHIVE_UNSAFE = "archive_unsafe"
    ARCHIVE_NEWER = "archive_newer"
    BACKUP_NEWER = "backup_newer"
    SCHEMA_NEWER = "schema_newer"
    FILE_EXISTS = "file_exists"
    NOTHING_STORED = "nothing_stored"
    SERVER_RUNNING = "server_running"
    RESTORE_NOT_EMPTY = "restore_not_empty"
    DATABASE_NOT_EMPTY = "database_not_empty"
    DATABASE_DAMAGED = "database_damaged"
    DATABASE_FAILED = "database_failed"
    MOVE_NOT_POSSIBLE = "move_not_possible"
    COPY_DIFFERS = "copy_differs"
    FILE_FAILED = "file_failed"
    # Requests
    NOT_FOUND = "not_found"
    NAME_TAKEN = "name_taken"
    REVISION_CONFLICT = "revision_conflict"
    ACTION_NOT_ALLOWED = "action_not_allowed"
    INVALID_REQUEST = "invalid_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    LOGIN_FAILED = "login_failed"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    PASSWORD_CHANGE_REQUIRED = "password_change_required"
    PASSWORD_TOO_SHORT = "password_too_short"
    PASSWORD_COMMON = "password_common"
    PASSWORD_UNCHANGED = "password_unchanged"
    CSRF_FAILED = "csrf_failed"
    HOST_NOT_ALLOWED = "host_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    NOT_READY = "not_ready"
    INTERNAL_ERROR = "internal_error"


class Reason(BaseModel):
    """A code and the values that its sentences mention."""

    model_config = ConfigDict(frozen=True)

    code: ReasonCode
    params: dict[str, ParameterValue] = Field(default_factory=dict)


def reason(code: ReasonCode, **params: ParameterValue) -> Reason:
    """A reason with its values."""
    return Reason(code=code, params=params)
