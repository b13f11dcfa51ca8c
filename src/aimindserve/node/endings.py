"""Why an attempt ended and what comes next. Pure."""

import signal
from dataclasses import dataclass
from enum import StrEnum

from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.relief import UNKNOWN


class Next(StrEnum):
    """What follows an ended attempt."""

    AT_ONCE = "at_once"
    """With another port, as the same attempt in the eyes of a person."""
    LATER = "later"
    """After the back-off."""
    NEVER = "never"
    """Only an edit or a restart helps."""


# Trying again gives the same answer until somebody changes the files or the deployment.
_HOPELESS = frozenset(
    {
        ReasonCode.GGUF_CORRUPT,
        ReasonCode.GGUF_IS_PROJECTOR,
        ReasonCode.PROJECTOR_MISMATCH,
        ReasonCode.ARCHITECTURE_NOT_SUPPORTED,
        ReasonCode.ARCHITECTURE_DROPPED,
        ReasonCode.CODE_NOT_TRUSTED,
        ReasonCode.GPUS_INDIVISIBLE,
        ReasonCode.CACHE_TOO_SMALL,
        # The server decides whether, and with what, it is tried once more.
        ReasonCode.START_MEMORY_SHORT,
        ReasonCode.ENGINE_CACHE_TOO_SMALL,
        ReasonCode.ENGINE_NEEDS_CODE,
        ReasonCode.PARAMETER_MANAGED,
        ReasonCode.PARAMETER_DENIED,
        ReasonCode.PARAMETER_UNKNOWN,
        ReasonCode.PARAMETER_VALUE,
        ReasonCode.ENVIRONMENT_DENIED,
        ReasonCode.ENGINE_CANNOT_RUN,
        ReasonCode.ENGINE_REFUSED_PARAMETER,
        ReasonCode.SAFETENSORS_CORRUPT,
        ReasonCode.GPU_NOT_SUPPORTED,
        ReasonCode.WEIGHTS_MISFIT,
        ReasonCode.ENGINE_TOO_OLD_FOR_FILE,
        ReasonCode.CHAT_TEMPLATE_BAD,
        ReasonCode.COMPILER_MISSING,
        ReasonCode.ENGINE_CONTEXT_TOO_LONG,
        ReasonCode.HEADS_INDIVISIBLE,
        ReasonCode.DTYPE_UNSUPPORTED,
        ReasonCode.QUANTIZATION_UNSUPPORTED,
        ReasonCode.TOKENIZER_MODE_WRONG,
        ReasonCode.ENGINE_WANTS_HUB,
        ReasonCode.ENGINE_PACKAGE_BROKEN,
        ReasonCode.ATTENTION_UNSUPPORTED,
        ReasonCode.PICTURE_REFUSED,
        ReasonCode.ENGINE_ILLEGAL_INSTRUCTION,
        ReasonCode.ENGINE_LIBRARY_MISSING,
        ReasonCode.DOWNLOAD_REFUSED,
        ReasonCode.DOWNLOAD_NOT_FOUND,
        ReasonCode.DOWNLOAD_DAMAGED,
        ReasonCode.FILE_NAME_UNSAFE,
        ReasonCode.IMPORT_MISSING,
        ReasonCode.IMPORT_DIFFERS,
    }
)


@dataclass(frozen=True, slots=True)
class Exit:
    """How an engine ended. Both None: nobody saw it. ``kernel_killed``: the out-of-memory killer struck meanwhile."""

    code: int | None = None
    signal: int | None = None
    kernel_killed: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """An attempt that ended without an order. ``launched``: there was an engine process. ``evidence``: lines of its log
    that show why."""

    reason: Reason
    launched: bool = False
    evidence: tuple[str, ...] = ()


def exit_reason(exit_: Exit, from_log: Reason | None, *, was_ready: bool) -> Reason:
    """The reason of an unordered exit: what the log says, else what exit code or signal say.

    Once the engine was ready, an old line about a failed load no longer tells why it ended.
    """
    if exit_.signal == signal.SIGILL:
        return reason(ReasonCode.ENGINE_ILLEGAL_INSTRUCTION)
    if exit_.signal == signal.SIGKILL and exit_.kernel_killed:
        return _no_memory(was_ready=was_ready)
    if from_log is not None and not was_ready:
        return from_log
    if from_log is not None and from_log.code is ReasonCode.START_MEMORY_SHORT:
        return _no_memory(was_ready=True)
    if exit_.signal is not None:
        return reason(ReasonCode.ENGINE_KILLED, signal=_signal_name(exit_.signal))
    if exit_.code is None:
        return reason(ReasonCode.ENGINE_KILLED, signal="unknown")
    if exit_.code == 0:
        return reason(ReasonCode.ENGINE_EXITED)
    return reason(ReasonCode.ENGINE_CRASHED, exit_code=exit_.code)


def _no_memory(*, was_ready: bool) -> Reason:
    if was_ready:
        return reason(ReasonCode.ENGINE_OUT_OF_MEMORY)
    return reason(ReasonCode.START_MEMORY_SHORT, part=UNKNOWN)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)


def what_next(why: Reason, *, was_ready: bool) -> Next:
    """Whether and when to try again. An engine that served once may serve again whatever it says now."""
    if why.code is ReasonCode.PORT_TAKEN:
        return Next.AT_ONCE
    if why.code in _HOPELESS and not was_ready:
        return Next.NEVER
    return Next.LATER


def backoff_seconds(failures: int, first: float, cap: float) -> float:
    """Seconds before the next attempt after ``failures`` endings in a row: first, 2 · first, 4 · first … cap."""
    return min(cap, first * 2.0 ** min(max(failures - 1, 0), 30))
