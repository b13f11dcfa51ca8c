"""The words of reasons about starts that ran out of memory, and the names of memory's parts."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

PARTS: dict[str, tuple[str, str]] = {
    "weights": ("the weights", "权重"),
    "projector": ("the projector's weights", "投影器权重"),
    "kv_cache": ("the KV cache", "KV 缓存"),
    "compute": ("the working memory of a batch", "计算缓冲"),
    "vision_compute": ("the working memory for pictures", "图片计算缓冲"),
    "profile": ("the trial run with full batches and the largest pictures", "满批次与最大图片的试运行"),
    "cuda_graphs": ("the recorded GPU work (CUDA graphs)", "CUDA 图"),
    "unknown": ("a part that its log does not name", "日志未指明的部分"),
}

MEMORY_REASON_TEXTS: dict[ReasonCode, ReasonText] = {
    _C.START_MEMORY_SHORT: text(
        "The engine ran out of memory at its start: there was no room for {part}.",
        "It is tried once more with less where you left the choice to aiMindServe; else set a shorter context, fewer "
        "requests at a time or a smaller quantization.",
        "引擎启动时内存不足：{part}没有足够空间。",
        "由 aiMindServe 选择的参数会减小并重试一次；否则请缩短上下文、减少同时处理的请求数或选用更小的量化。",
    ),
    _C.MEMORY_RETRIED: text(
        "The start ran out of memory at {part}; it was tried once more with {flag} {after} instead of {before}.",
        "To decide yourself, set {flag} in the backend parameters.",
        "启动时{part}内存不足；已将 {flag} 从 {before} 减小为 {after} 并重试一次。",
        "如需自行决定，请在后端参数中设置 {flag}。",
    ),
    _C.MEMORY_PLACED_ANEW: text(
        "The start ran out of memory at {part}; it was placed once more with more memory booked for it.",
        "If that does not help, choose a smaller quantization, or stop other programs on the device.",
        "启动时{part}内存不足；已为其预留更多内存并重新放置一次。",
        "若仍无效，请选用更小的量化，或停止设备上的其他程序。",
    ),
    _C.MEMORY_NOT_RETRIED: text(
        "It is not tried again by itself: you set {flag} to {before}, and what you set is not changed.",
        "Set {flag}={after} (or remove {flag}) and save.",
        "不会自动重试：{flag} 由您设为 {before}，您设置的值不会被更改。",
        "请将 {flag} 设为 {after}（或删除 {flag}）并保存。",
    ),
    _C.MEMORY_NO_RETRY: text(
        "It is not tried again by itself: context and requests at a time are as small as they can be.",
        "Choose a smaller quantization or model, smaller pictures, or a device with more memory.",
        "不会自动重试：上下文与同时处理的请求数已无法再减小。",
        "请选用更小的量化或模型、更小的图片，或内存更大的设备。",
    ),
    _C.MEMORY_RETRY_FAILED: text(
        "The one retry with less memory failed as well, at {part}. It is not tried again.",
        "Set a shorter context, fewer requests at a time or a smaller quantization, then save or restart.",
        "减小内存后的唯一一次重试同样失败（{part}），不再重试。",
        "请缩短上下文、减少同时处理的请求数或选用更小的量化，然后保存或重启。",
    ),
}
