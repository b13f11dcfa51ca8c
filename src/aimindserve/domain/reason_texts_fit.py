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
    _C.NODE_LABELS_MISSING: text(
        "The machine lacks labels that the placement wishes ask for: {labels}.",
        "Label it (aimindserve node label {node} {words}), or take them out of the wishes.",
        "这台机器缺少放置要求中的标签：{labels}。",
        "请为其添加标签（aimindserve node label {node} {words}），或从放置要求中去掉这些标签。",
    ),
    _C.NODE_DRAINED: text(
        "The machine {node} is drained: it takes no new replicas.",
        "Let it take replicas again (aimindserve node undrain {node}), or add another machine.",
        "机器 {node} 处于排空状态，不再接收新的副本。",
        "请恢复其接收副本（aimindserve node undrain {node}），或添加其他机器。",
    ),
    _C.DEVICE_STARTING: text(
        "Another model is starting on {device}; this one starts after it.",
        "Nothing needs to be done: engines that start together measure each other's memory.",
        "设备 {device} 上另一个模型正在启动；此模型将在其后启动。",
        "无需操作：同时启动的引擎会互相干扰显存测量。",
    ),
    _C.CPU_NOT_WISHED: text(
        "Only the CPU of this machine could take the model, and it is to run on a GPU.",
        "Wait for a GPU, or allow the CPU in the placement wishes (cpu: allow); answers come slowly there.",
        "这台机器只有 CPU 能容纳该模型，而该模型应在 GPU 上运行。",
        "请等待 GPU，或在放置要求中允许使用 CPU（cpu: allow），但回答会较慢。",
    ),
    _C.NO_CHAT_TEMPLATE: text(
        "The files bring no chat template (how conversations are written), so vLLM refuses /v1/chat/completions.",
        "Use /v1/completions, or a model that was trained for conversations (often called Instruct or Chat).",
        "模型文件未说明对话的书写格式（没有对话模板），因此 vLLM 会拒绝 /v1/chat/completions 请求。",
        "请使用 /v1/completions，或选择为对话训练的模型（名称通常以 Instruct 或 Chat 结尾）。",
    ),
    _C.ON_CPU: text(
        "The model runs on the CPU, where answers come slowly.",
        "A smaller model or fewer bits answer faster. With the placement wish cpu: never it waits for a GPU instead.",
        "模型在 CPU 上运行，回答会较慢。",
        "更小的模型或更少的位数回答更快。将放置要求设为 cpu: never，则会等待 GPU。",
    ),
    _C.PARTLY_ON_CPU: text(
        "{layers} of {all} layers lie on the GPU; the others run on the CPU, which makes answers slow.",
        "Fewer bits, a shorter context or another card would hold all of it; changes that help are listed.",
        "{all} 层中有 {layers} 层在 GPU 上，其余在 CPU 上运行，回答会较慢。",
        "减少位数、缩短上下文或换用其他显卡即可全部放入；可行的更改已列出。",
    ),
}

FIT_TEXTS: dict[ReasonCode, ReasonText] = {**_PLACES}
