"""The words of causes that engines' logs tell."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

_MACHINE = {
    _C.SHARED_MEMORY_SHORT: text(
        "The machine's shared memory (/dev/shm) is too small for an engine on several GPUs: {detail}.",
        "Give it more: --shm-size=16g or --ipc=host for a container, else mount -o remount,size=16G /dev/shm.",
        "共享内存（/dev/shm）不足以让引擎使用多个 GPU：{detail}。",
        "请增大共享内存：容器使用 --shm-size=16g 或 --ipc=host，否则执行 mount -o remount,size=16G /dev/shm。",
    ),
    _C.GPU_NOT_SUPPORTED: text(
        "This build of the engine holds no code for the GPU's generation: {detail}.",
        "Use a newer version of the engine for a new GPU, an older one for an old GPU.",
        "此引擎版本不包含该代 GPU 的代码：{detail}。",
        "新 GPU 请使用更新的引擎版本，旧 GPU 请使用更旧的版本。",
    ),
    _C.GPU_NOT_SEEN: text(
        "The engine sees no GPU: {detail}.",
        "Check nvidia-smi on the node, and that a container got its GPUs (--gpus all); it is tried again by itself.",
        "引擎没有找到 GPU：{detail}。",
        "请在节点上运行 nvidia-smi 检查，并确认容器已分配 GPU（--gpus all）；之后会自动重试。",
    ),
    _C.GPU_FAULT: text(
        "The GPU reported a fault: {detail}.",
        "It is tried again by itself. If it comes back, look for Xid in dmesg, and try another version of the engine.",
        "GPU 报告了故障：{detail}。",
        "之后会自动重试。若反复出现，请在 dmesg 中查看 Xid 信息，并尝试其他引擎版本。",
    ),
    _C.TOO_MANY_FILES: text(
        "The engine may not open more files.",
        "Raise the limit (LimitNOFILE= of the service, ulimit -n in a shell); it is tried again by itself.",
        "引擎打开的文件数已达上限。",
        "请提高上限（服务的 LimitNOFILE=，或 shell 中的 ulimit -n）；之后会自动重试。",
    ),
    _C.COMPILER_MISSING: text(
        "The engine compiles for this GPU and finds no compiler or headers: {detail}.",
        "Install them (apt-get install build-essential python3-dev), or start without compiling: --enforce-eager.",
        "引擎需要为此 GPU 编译代码，但缺少编译器或头文件：{detail}。",
        "请安装（apt-get install build-essential python3-dev），或不编译直接启动：--enforce-eager。",
    ),
    _C.ENGINE_PACKAGE_BROKEN: text(
        "The engine's own packages do not fit together: {detail}.",
        "Install this version of the engine again, or choose another one.",
        "引擎自身的软件包不匹配：{detail}。",
        "请重新安装此引擎版本，或选择其他版本。",
    ),
}
_MODEL = {
    _C.WEIGHTS_MISFIT: text(
        "The weights do not fit the model that the configuration describes: {detail}.",
        "Copy or download the whole model again; if that does not help, use a newer version of the engine.",
        "权重与配置所描述的模型不符：{detail}。",
        "请重新复制或下载完整的模型；若仍不行，请使用更新的引擎版本。",
    ),
    _C.ENGINE_TOO_OLD_FOR_FILE: text(
        "The file uses something that this version of the engine does not know: {detail}.",
        "Use a newer version of the engine, or an older copy of the file.",
        "文件使用了此引擎版本不支持的内容：{detail}。",
        "请使用更新的引擎版本，或该文件的旧版本。",
    ),
    _C.CHAT_TEMPLATE_BAD: text(
        "The model has no chat template that the engine can use: {detail}.",
        "Take the instruct version of the model, or add its chat template to the model's folder.",
        "模型没有引擎可用的对话模板：{detail}。",
        "请使用该模型的指令微调版本，或将对话模板放入模型文件夹。",
    ),
    _C.TOKENIZER_MODE_WRONG: text(
        "The tokenizer is not read in the form that the model has: {detail}.",
        "Set --tokenizer-mode=mistral for models with Mistral's own files (tekken.json), else remove that parameter.",
        "分词器的读取方式与模型不符：{detail}。",
        "带有 Mistral 自有文件（tekken.json）的模型请设置 --tokenizer-mode=mistral，其他模型请删除该参数。",
    ),
    _C.ENGINE_WANTS_HUB: text(
        "The engine wanted to fetch something from a hub, which engines may not reach: {detail}.",
        "Download the whole model with its tokenizer first; for a gated one, ask for access and set a token.",
        "引擎想从模型站点获取内容，但引擎不允许联网：{detail}。",
        "请先下载完整的模型（包括分词器）；受限模型请先申请访问权限并设置令牌。",
    ),
}
_PARAMETERS = {
    _C.ENGINE_CONTEXT_TOO_LONG: text(
        "A context of {tokens} tokens is more than the {longest} that the model's configuration allows.",
        "Set --max-model-len={longest} or less, or remove it.",
        "上下文 {tokens} 个词元超过模型配置允许的 {longest} 个。",
        "请将 --max-model-len 设为不超过 {longest}，或将其删除。",
    ),
    _C.HEADS_INDIVISIBLE: text(
        "The model's {heads} attention heads cannot be divided among {gpus} GPUs.",
        "Remove --tensor-parallel-size: a number that fits is found by itself.",
        "模型的 {heads} 个注意力头无法平均分配到 {gpus} 个 GPU。",
        "请删除 --tensor-parallel-size，系统会自动选择合适的数量。",
    ),
    _C.DTYPE_UNSUPPORTED: text(
        "The GPU does not know the number format: {detail}.",
        "Set --dtype=float16.",
        "GPU 不支持该数据类型：{detail}。",
        "请设置 --dtype=float16。",
    ),
    _C.QUANTIZATION_UNSUPPORTED: text(
        "The weights are packed in a way that this GPU or version does not run: {detail}.",
        "Choose another form of the model (16 bits, AWQ, GPTQ, or GGUF for llama.cpp), or another engine version.",
        "此 GPU 或引擎版本不支持该权重量化方式：{detail}。",
        "请选择该模型的其他形式（16 位、AWQ、GPTQ，或用于 llama.cpp 的 GGUF），或其他引擎版本。",
    ),
    _C.ATTENTION_UNSUPPORTED: text(
        "This build of the engine cannot compute the model's attention: {detail}.",
        "Choose another device, another version of the engine, or another model.",
        "此引擎版本无法计算该模型的注意力：{detail}。",
        "请选择其他设备、其他引擎版本或其他模型。",
    ),
    _C.ENGINE_FATAL_REQUEST: text(
        "A request ended the engine: its core died, and its server left with it.",
        "It is started again by itself. If it comes back, look at its log, and try fewer or smaller pictures.",
        "一个请求导致引擎终止：引擎核心崩溃，服务随之退出。",
        "引擎会自动重新启动。若反复出现，请查看日志，并减少或缩小图片。",
    ),
}
CAUSE_TEXTS: dict[ReasonCode, ReasonText] = {**_MACHINE, **_MODEL, **_PARAMETERS}
