"""Causes that lie in the machine and not in the model, as any engine words them."""

from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.engines._diagnosis import Cause, any_of, detail, plain

_C = ReasonCode
_SHARED_MEMORY = any_of(
    "[Ss]ystem memory request exceeds memory available in /dev/shm",
    "insufficient shared memory",
    "out of shared memory",
    r"dev/shm is too small",
    "[Ee]rror while (?:creating|attaching to) shared memory segment",
)
_OLD_DRIVER = any_of(
    "The NVIDIA driver on your system is too old",
    "CUDA driver version is insufficient",
    "unsupported display driver / cuda driver combination",
    "forward compatibility was attempted",
)
_OTHER_GENERATION = any_of(
    "no kernel image is available for execution",
    "device kernel image is invalid",
    r"sm_\d+ is not compatible with the current PyTorch",
)
_NO_GPU = any_of(
    "Failed to infer device type",
    "No CUDA GPUs are available",
    "no CUDA-capable device is detected",
    r"libcuda\.so\.1: cannot open shared object",
    "Found no NVIDIA driver",
    "CUDA unknown error",
)
_FAULT = any_of(
    "an illegal memory access was encountered",
    "uncorrectable ECC error",
    "unspecified launch failure",
    "device-side assert triggered",
    "CUDA error: misaligned address",
    "GPU has fallen off the bus",
)
_LIBRARY = (
    r"(?:error while loading shared libraries: |ImportError: )(\S+): cannot open shared object file"
    r"|version `(GLIBC\S*?)' not found"
)

MACHINE_CAUSES: tuple[Cause, ...] = (
    (_SHARED_MEMORY, detail(_C.SHARED_MEMORY_SHORT)),
    (
        r"(?:No space left on device|Errno 28\b|Disk quota exceeded)[^'\n]*(?:'([^']+)')?",
        # Where no file is named it is one of the engine's temporary ones.
        lambda found, _case: reason(_C.DISK_FULL, path=found[1] or "TMPDIR"),
    ),
    (_OLD_DRIVER, detail(_C.DRIVER_TOO_OLD)),
    (_OTHER_GENERATION, detail(_C.GPU_NOT_SUPPORTED)),
    (_NO_GPU, detail(_C.GPU_NOT_SEEN)),
    (_FAULT, detail(_C.GPU_FAULT)),
    (r"Too many open files|Errno 24\b", plain(_C.TOO_MANY_FILES)),
    (r"[Ii]llegal instruction", plain(_C.ENGINE_ILLEGAL_INSTRUCTION)),
    (_LIBRARY, lambda found, _case: reason(_C.ENGINE_LIBRARY_MISSING, library=found[1] or found[2])),
)
