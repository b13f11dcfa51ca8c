"""The words of reasons about engines and their parameters, before and while they start."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

ENGINE_TEXTS: dict[ReasonCode, ReasonText] = {
    _C.ENGINE_NOT_INSTALLED: text(
        "The engine {engine} is not installed on this node.",
        "Install it: {install}",
        "此节点未安装引擎 {engine}。",
        "请安装：{install}",
    ),
    _C.ENGINE_CANNOT_RUN: text(
        "The engine {engine} does not run {format} models.",
        "Leave the engine on automatic, or choose {alternative}.",
        "引擎 {engine} 无法运行 {format} 格式的模型。",
        "请将引擎设为自动，或选择 {alternative}。",
    ),
    _C.ARCHITECTURE_NOT_SUPPORTED: text(
        "{engine} {version} does not know the model architecture {architecture}.",
        "Use a newer version of the engine, or another model.",
        "{engine} {version} 不支持模型架构 {architecture}。",
        "请使用更新版本的引擎，或换用其他模型。",
    ),
    _C.PARAMETER_MANAGED: text(
        "{flag} is set by aiMindServe.",
        "Remove {flag} from the backend parameters.",
        "{flag} 由 aiMindServe 设置。",
        "请从后端参数中删除 {flag}。",
    ),
    _C.PARAMETER_DENIED: text(
        "{flag} is not allowed: it could open files, ports or run code on this machine.",
        "Remove {flag} from the backend parameters.",
        "不允许使用 {flag}：它可能在本机上打开文件、端口或执行代码。",
        "请从后端参数中删除 {flag}。",
    ),
    _C.PARAMETER_UNKNOWN: text(
        "{engine} has no parameter {flag}.",
        "Did you mean {nearest}? Correct or remove it.",
        "{engine} 没有参数 {flag}。",
        "是否想用 {nearest}？请更正或删除。",
    ),
    _C.PARAMETER_VALUE: text(
        "{flag} does not take the value “{value}”.",
        "Give {expected}.",
        "{flag} 不接受值“{value}”。",
        "应为：{expected}。",
    ),
    _C.ENVIRONMENT_DENIED: text(
        "The environment variable {name} may not be set for an engine.",
        "Remove {name} from the deployment's environment.",
        "不允许为引擎设置环境变量 {name}。",
        "请从部署的环境变量中删除 {name}。",
    ),
    _C.ARCHITECTURE_DROPPED: text(
        "The engine vLLM {version} no longer runs {architecture}; {last} is the last version that does.",
        "Install vLLM {last}, or the newest before it that can be installed (aimindserve engine ls), beside it, and "
        "leave the engine's version empty.",
        "vLLM {version} 已不再支持 {architecture}；最后支持它的版本是 {last}。",
        "请另行安装 vLLM {last} 或其之前可安装的最新版本（aimindserve engine ls），并将引擎版本留空。",
    ),
    _C.ARCHITECTURE_NEWER: text(
        "The engine vLLM {version} does not know {architecture} yet; {first} does.",
        "Install vLLM {first} or a newer one beside it and leave the engine's version empty.",
        "vLLM {version} 尚不支持 {architecture}；{first} 支持。",
        "请另行安装 vLLM {first} 或更新的版本，并将引擎版本留空。",
    ),
    _C.DEVICE_TOO_OLD: text(
        "{what} needs a GPU of compute capability {needed}; {device} has {found}.",
        "Choose another form of the model (16 bits, or GGUF for llama.cpp), another version of vLLM, or a newer GPU.",
        "{what} 需要计算能力不低于 {needed} 的 GPU，而 {device} 为 {found}。",
        "请改用该模型的其他形式（16 位，或用于 llama.cpp 的 GGUF）、其他 vLLM 版本，或更新的 GPU。",
    ),
    _C.CONTEXT_TOO_LONG: text(
        "A context of {tokens} tokens is more than the {trained} that the model was trained on.",
        "Set {flag} to at most {most}, or stretch the model's positions yourself: {stretch}.",
        "上下文 {tokens} 个词元超过模型训练时的 {trained} 个。",
        "请将 {flag} 设为不超过 {most}，或自行扩展模型的位置编码：{stretch}。",
    ),
    _C.CODE_NOT_TRUSTED: text(
        "The model brings Python code that the engine would run: {files}.",
        "Read these files. If you trust them, add the backend parameter --trust-remote-code.",
        "该模型带有引擎将会执行的 Python 代码：{files}。",
        "请阅读这些文件；若信任它们，请添加后端参数 --trust-remote-code。",
    ),
    _C.GPUS_INDIVISIBLE: text(
        "The model cannot be divided among {gpus} GPUs.",
        "Set --tensor-parallel-size to one of {counts}, or leave it out.",
        "该模型无法平均分配到 {gpus} 个 GPU。",
        "请将 --tensor-parallel-size 设为 {counts} 之一，或将其删除。",
    ),
    _C.CACHE_TOO_SMALL: text(
        "{given} of cache hold fewer tokens than one request of {tokens}, which needs {needed}.",
        "Raise --kv-cache-memory-bytes to {bytes}, or shorten --max-model-len.",
        "{given} 的缓存容纳不下一个 {tokens} 词元的请求，需要 {needed}。",
        "请将 --kv-cache-memory-bytes 增大到 {bytes}，或缩短 --max-model-len。",
    ),
    _C.ENGINE_CACHE_TOO_SMALL: text(
        "The memory that is left holds no request of the whole context ({detail}).",
        "Set --max-model-len={longest} or less, use fewer or smaller pictures, or stop another model on this device.",
        "剩余内存容纳不下一个完整上下文的请求（{detail}）。",
        "请设置 --max-model-len={longest} 或更小，减少或缩小图片，或停止此设备上的其他模型。",
    ),
    _C.ENGINE_DEVICE_TAKEN: text(
        "Another program holds memory of the device: {free} GiB are free and {wanted} GiB were to be used.",
        "End the other program; it is tried again by itself.",
        "设备内存被其他程序占用：空闲 {free} GiB，而需要 {wanted} GiB。",
        "请结束该程序；之后会自动重试。",
    ),
    _C.ENGINE_NEEDS_CODE: text(
        "The engine refuses to run the model's own Python code.",
        "Read the model's code. If you trust it, add the backend parameter --trust-remote-code.",
        "引擎拒绝执行该模型自带的 Python 代码。",
        "请阅读模型代码；若信任它，请添加后端参数 --trust-remote-code。",
    ),
    _C.ENGINE_FILES_MISSING: text(
        "The engine misses files of the model: {detail}.",
        "Copy or download the whole folder of the model, with its tokenizer and configuration, and try again.",
        "引擎缺少模型文件：{detail}。",
        "请复制或下载完整的模型文件夹（包括分词器和配置）后重试。",
    ),
    _C.DRIVER_TOO_OLD: text(
        "The GPU's driver is too old for this version of the engine: {detail}.",
        "Update the driver, or use an older version of the engine.",
        "GPU 驱动对此版本的引擎来说过旧：{detail}。",
        "请更新驱动，或使用更旧版本的引擎。",
    ),
    _C.GPU_LINK_FAILED: text(
        "The GPUs could not talk to each other: {detail}.",
        "Try the environment variable NCCL_P2P_DISABLE=1, look at NCCL_DEBUG=INFO, or use one GPU.",
        "GPU 之间无法通信：{detail}。",
        "请尝试环境变量 NCCL_P2P_DISABLE=1，用 NCCL_DEBUG=INFO 查看详情，或只使用一个 GPU。",
    ),
}
