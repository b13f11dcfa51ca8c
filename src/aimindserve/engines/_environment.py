"""Which environment variables a user may set for an engine."""

import re
from collections.abc import Mapping

from aimindserve.domain.reasons import Reason, ReasonCode, reason

# A list of what is harmless: names that no list of dangers knows may load libraries (LD_*, OMP_TOOL_LIBRARIES,
# GGML_BACKEND_PATH, CUDA_INJECTION64_PATH), run code (PYTHON*), or set flags (LLAMA_ARG_*).
_ALLOWED = re.compile(
    r"OMP_(NUM_THREADS|PROC_BIND|PLACES|WAIT_POLICY|DYNAMIC)|GOMP_(SPINCOUNT|CPU_AFFINITY)|KMP_(BLOCKTIME|AFFINITY)"
    r"|(MKL|OPENBLAS|BLIS)_NUM_THREADS|GGML_(CUDA|VK|SYCL|HIP|SCHED)_[A-Z0-9_]*(?<!PATH)(?<!DIR)(?<!FILE)"
    r"|CUDA_(DEVICE_ORDER|SCALE_LAUNCH_QUEUES|LAUNCH_BLOCKING|MODULE_LOADING)|HSA_OVERRIDE_GFX_VERSION"
    r"|VLLM_(LOGGING_LEVEL|ATTENTION_BACKEND|USE_V1|CPU_OMP_THREADS_BIND|ENGINE_READY_TIMEOUT_S|ALLOW_LONG_MAX_MODEL_LEN)"
    r"|NCCL_(DEBUG|P2P_DISABLE|IB_DISABLE|P2P_LEVEL)|MALLOC_(ARENA_MAX|TRIM_THRESHOLD_)|TZ|LANG|LC_[A-Z]+"
)


def refused_variables(env: Mapping[str, str]) -> tuple[Reason, ...]:
    """A reason for every variable that may not be set."""
    return tuple(
        reason(ReasonCode.ENVIRONMENT_DENIED, name=name) for name in sorted(env) if not _ALLOWED.fullmatch(name)
    )
