"""The words of reasons about placement and the life of a replica."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

_PLACEMENT = {
    _C.NO_NODE: text(
        "No node is connected.",
        "Wait until a node reports, or look at the server's log.",
        "没有已连接的节点。",
        "请等待节点上报，或查看服务器日志。",
    ),
    _C.NO_USABLE_DEVICE: text(
        "None of the devices can run the engine {engine}.",
        "Choose another engine, or add a machine with a GPU that this engine supports.",
        "没有设备能够运行引擎 {engine}。",
        "请选择其他引擎，或添加带有该引擎所支持 GPU 的机器。",
    ),
    _C.NODE_UNKNOWN: text(
        "No node or device fits the placement wish “{wish}”.",
        "Choose one of the nodes and devices that are listed, or remove the wish.",
        "没有节点或设备符合放置要求“{wish}”。",
        "请选择列表中的节点和设备，或删除该要求。",
    ),
    _C.MEMORY_INSUFFICIENT: text(
        "The model needs {needed} and the largest device offers {largest}.",
        "Choose a smaller model or quantization, or a shorter context (--max-model-len, --ctx-size in llama.cpp).",
        "模型需要 {needed}，而最大的设备只能提供 {largest}。",
        "请选择更小的模型或量化，或缩短上下文（vLLM 为 --max-model-len，llama.cpp 为 --ctx-size）。",
    ),
    _C.MEMORY_CLAIMED: text(
        "The model needs {needed}; {free} of {largest} is not claimed by other models.",
        "Stop another model, or wait until one is stopped; this one then starts by itself.",
        "模型需要 {needed}；{largest} 中仅有 {free} 未被其他模型占用。",
        "请停止其他模型，或等待其停止；此模型随后会自动启动。",
    ),
}

_LIFE = {
    _C.WAITING_FOR_NODE: text(
        "Waiting for node {node} to take it on.",
        "Nothing to do; this takes a moment.",
        "正在等待节点 {node} 接收。",
        "无需操作，请稍候。",
    ),
    _C.DOWNLOADING: text(
        "The model's files are on their way: {done} of {total}, {rate}/s.",
        "Nothing to do; it starts when they are whole. What has arrived is kept whatever happens.",
        "正在下载模型文件：{done} / {total}，{rate}/s。",
        "无需操作，下载完成后自动启动；已下载的部分不会丢失。",
    ),
    _C.DOWNLOAD_WAITING: text(
        "The model's files are not whole yet ({done} of {total}); their download is about to go on.",
        "Nothing to do. If this stays, look at the page Model Files.",
        "模型文件尚不完整（{done} / {total}），即将继续下载。",
        "无需操作。若长时间没有进展，请查看“模型文件”页面。",
    ),
    _C.NODE_UNREACHABLE: text(
        "Node {node} has not been heard of for {seconds} s.",
        "Check that the machine is up and connected; what runs there goes on and is found again.",
        "已有 {seconds} 秒未收到节点 {node} 的消息。",
        "请检查该机器是否开机并联网；其上运行的模型会继续运行并被重新识别。",
    ),
    _C.STOP_REQUESTED: text(
        "It is being stopped.",
        "Nothing to do; its memory is free as soon as the engine has ended.",
        "正在停止。",
        "无需操作；引擎结束后即释放内存。",
    ),
    _C.STOPPED_BY_USER: text("It was stopped.", "Start it to use it again.", "已被停止。", "启动后即可再次使用。"),
    _C.SCALED_TO_ZERO: text(
        "It has no replicas.",
        "Set the number of replicas to one or more.",
        "副本数为零。",
        "请将副本数设为一个或更多。",
    ),
    _C.ASLEEP: text(
        "It sleeps; the next request wakes it.",
        "Nothing is to be done. Set the minimum of replicas to one if it shall always run.",
        "正在休眠，收到请求时自动唤醒。",
        "无需操作；如需常驻运行，请将最少副本数设为 1。",
    ),
    _C.MADE_ROOM: text(
        "It sleeps because {model} needed its memory; the next request wakes it.",
        "Nothing is to be done. Set the minimum of replicas to one if it shall always run.",
        "因 {model} 需要显存或内存而休眠，收到请求时自动唤醒。",
        "无需操作；如需常驻运行，请将最少副本数设为 1。",
    ),
    _C.FINISHING: text(
        "It gets no new requests and ends its last answers, for a minute at most.",
        "Nothing is to be done.",
        "不再接收新请求，正在完成最后的回答（最多一分钟）。",
        "无需操作。",
    ),
    _C.RESTARTING: text(
        "It is started again in {seconds} s (attempt {attempt}).",
        "Look at the log of the last attempt if this goes on.",
        "将在 {seconds} 秒后重新启动（第 {attempt} 次）。",
        "如果反复出现，请查看上一次的日志。",
    ),
    _C.ENGINE_PROGRAM_MISSING: text(
        "The engine program {path} cannot be started.",
        "Install the engine again, or correct the configured path.",
        "无法启动引擎程序 {path}。",
        "请重新安装引擎，或更正配置的路径。",
    ),
    _C.ENGINE_CRASHED: text(
        "The engine ended with exit code {exit_code}.",
        "Look at the last lines of its log; it is started again by itself.",
        "引擎以退出码 {exit_code} 结束。",
        "请查看其日志的最后几行；引擎会自动重新启动。",
    ),
    _C.ENGINE_KILLED: text(
        "The engine was ended by signal {signal}.",
        "If this was not on purpose, look at its log and at the system's; it is started again by itself.",
        "引擎被信号 {signal} 终止。",
        "如非有意为之，请查看其日志和系统日志；引擎会自动重新启动。",
    ),
    _C.ENGINE_EXITED: text(
        "The engine ended by itself although it was not asked to.",
        "Look at the last lines of its log; it is started again by itself.",
        "引擎未经要求自行结束。",
        "请查看其日志的最后几行；引擎会自动重新启动。",
    ),
    _C.ENGINE_OUT_OF_MEMORY: text(
        "The engine ran out of memory.",
        "Shorten the context (--max-model-len in vLLM, --ctx-size in llama.cpp), choose a smaller quantization, or "
        "stop another model.",
        "引擎内存不足。",
        "请缩短上下文（vLLM 为 --max-model-len，llama.cpp 为 --ctx-size）、选择更小的量化，或停止其他模型。",
    ),
    _C.ENGINE_LOAD_FAILED: text(
        "The engine could not load the model: {detail}.",
        "Check that the files are complete and that this engine version knows the model.",
        "引擎无法加载模型：{detail}。",
        "请检查文件是否完整，以及该引擎版本是否支持此模型。",
    ),
    _C.ENGINE_REFUSED_PARAMETER: text(
        "The engine refused a parameter: {detail}.",
        "Correct the backend parameters of the deployment.",
        "引擎拒绝了一个参数：{detail}。",
        "请更正该部署的后端参数。",
    ),
    _C.ENGINE_ILLEGAL_INSTRUCTION: text(
        "The engine was built for a newer processor than this one.",
        "Configure a llama-server built for this machine.",
        "引擎是为更新的处理器编译的，无法在本机运行。",
        "请配置为本机编译的 llama-server。",
    ),
    _C.ENGINE_LIBRARY_MISSING: text(
        "The engine needs the system library {library}, which is not installed.",
        "Install it, then start the model again. libgomp.so.1: apt-get install libgomp1, or dnf install libgomp.",
        "引擎需要系统库 {library}，但它没有安装。",
        "请安装后重新启动该模型。libgomp.so.1：apt-get install libgomp1，或 dnf install libgomp。",
    ),
    _C.ENGINE_START_TIMEOUT: text(
        "The engine was not ready after {seconds} s.",
        "Look at its log; a large model on a slow disk may need a longer limit.",
        "引擎在 {seconds} 秒后仍未就绪。",
        "请查看其日志；大模型在慢速磁盘上可能需要更长的时限。",
    ),
    _C.ENGINE_NOT_ANSWERING: text(
        "The engine has stopped answering.",
        "It is restarted if this goes on; look at its log.",
        "引擎停止响应。",
        "如持续如此将被重新启动；请查看其日志。",
    ),
    _C.FIRST_ANSWER_MISSING: text(
        "The engine runs, but does not answer a first request: {detail}.",
        "Look at the last lines of its log; it is started again by itself.",
        "引擎已运行，但没有回答第一个请求：{detail}。",
        "请查看其日志的最后几行；引擎会自动重新启动。",
    ),
    _C.PICTURE_REFUSED: text(
        "The engine answers text, but refuses a small picture: {detail}.",
        "Give the model a longer context, or serve it for text alone: --limit-mm-per-prompt='{{\"image\":0}}' in vLLM, "
        "--no-mmproj in llama.cpp.",
        "引擎能回答文本，但拒绝了一张小图片：{detail}。",
        "请增大模型的上下文，或仅用于文本：vLLM 使用 --limit-mm-per-prompt='{{\"image\":0}}'，"
        "llama.cpp 使用 --no-mmproj。",
    ),
    _C.PICTURE_NOT_ANSWERED: text(
        "The engine answers text, but not a question about a small picture: {detail}.",
        "Look at the last lines of its log; it is started again by itself.",
        "引擎能回答文本，但没有回答关于一张小图片的问题：{detail}。",
        "请查看其日志的最后几行；引擎会自动重新启动。",
    ),
    _C.PORT_TAKEN: text(
        "Port {port} is in use by another program.",
        "Another port is tried by itself; for the public port use --port.",
        "端口 {port} 已被其他程序占用。",
        "会自动尝试其他端口；公共端口请用 --port 指定。",
    ),
    _C.DISK_FULL: text(
        "The disk that holds {path} is full.",
        "Free some space there; it is tried again by itself.",
        "{path} 所在的磁盘已满。",
        "请释放空间；之后会自动重试。",
    ),
    _C.DISK_NEARLY_FULL: text(
        "The disk for model files on {node} has only {free} left.",
        "Delete model files that nobody uses on the page Model Files, or give the machine a larger disk.",
        "{node} 上存放模型文件的磁盘仅剩 {free}。",
        "请在“模型文件”页删除不再使用的模型文件，或为该机器更换更大的磁盘。",
    ),
    _C.DEVICE_BUSY: text(
        "The device {device} is still held by an earlier engine.",
        "It is tried again until that engine has ended.",
        "设备 {device} 仍被之前的引擎占用。",
        "在该引擎结束之前会不断重试。",
    ),
    _C.DRIVER_ABSENT: text(
        "No {vendor} driver was found on this node.",
        "If it has such a GPU, install its driver; else there is nothing to do.",
        "此节点上没有找到 {vendor} 驱动。",
        "如有该类 GPU，请安装其驱动；否则无需操作。",
    ),
    _C.DEVICE_PROBE_FAILED: text(
        "The devices of {vendor} could not be read: {detail}.",
        "Run the vendor's own tool (for example nvidia-smi) and repair what it reports.",
        "无法读取 {vendor} 的设备：{detail}。",
        "请运行厂商自带工具（例如 nvidia-smi），并修复其报告的问题。",
    ),
}

LIFE_TEXTS: dict[ReasonCode, ReasonText] = {**_PLACEMENT, **_LIFE}
