"""The words of reasons about fit: engine versions, parameters, memory and places."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

_PLACES = {
    _C.MEMORY_IN_USE: text(
        "The model needs {needed}, but other programs use the device: {free} of {largest} is left for models.",
        "End the other programs on that device (nvidia-smi lists them), or choose a smaller model.",
        "模型需要 {needed}，但设备正被其他程序占用：可供模型使用的 {largest} 中仅剩 {free}。",
        "请结束该设备上的其他程序（可用 nvidia-smi 查看），或选择更小的模型。",
    ),
    _C.HOST_MEMORY_INSUFFICIENT: text(
        "Beside the GPU the model needs {needed} of the machine's memory; {free} of {largest} is free.",
        "Stop another model on that machine, add memory, or choose a machine with more.",
        "除 GPU 外，模型还需要 {needed} 的主机内存；{largest} 中仅有 {free} 空闲。",
        "请停止该机器上的其他模型、增加内存，或选择内存更大的机器。",
    ),
    _C.GPUS_TOO_FEW: text(
        "The model is to run on {needed} alike GPUs of one machine; there are {found}.",
        "Ask for fewer GPUs (--tensor-parallel-size), or choose a machine with more.",
        "模型需要同一台机器上的 {needed} 个同型号 GPU，但只有 {found} 个。",
        "请减少 GPU 数量（--tensor-parallel-size），或选择 GPU 更多的机器。",
    ),
    _C.NODE_NOT_WISHED: text(
        "The placement wishes leave this machine out.",
        "Add it, or one of its devices, to the wishes.",
        "放置要求排除了这台机器。",
        "请将该机器或其设备加入放置要求。",
    ),
    _C.DEVICE_STARTING: text(
        "Another model is starting on {device}; this one starts after it.",
        "Nothing needs to be done: engines that start together measure each other's memory.",
        "设备 {device} 上另一个模型正在启动；此模型将在其后启动。",
        "无需操作：同时启动的引擎会互相干扰显存测量。",
    ),
}

FIT_TEXTS: dict[ReasonCode, ReasonText] = {**_PLACES}
