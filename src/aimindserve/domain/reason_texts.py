"""The words of every reason, in English and Chinese: what happened, and what to do about it."""

from typing import NamedTuple

from aimindserve.domain.reasons import Explanation, ReasonCode


class ReasonText(NamedTuple):
    """One reason in both languages; ``{name}`` stands for a parameter of the reason."""

    en: Explanation
    zh: Explanation


def _text(en: str, en_remedy: str, zh: str, zh_remedy: str) -> ReasonText:
    return ReasonText(Explanation(en, en_remedy), Explanation(zh, zh_remedy))


_C = ReasonCode

_FILES = {
    _C.SOURCE_INVALID: _text(
        "This is not a model source: {detail}.",
        "Use an absolute path such as /models/model.gguf, or demo://tiny-vlm.",
        "这不是有效的模型来源：{detail}。",
        "请填写绝对路径，例如 /models/model.gguf，或 demo://tiny-vlm。",
    ),
    _C.SOURCE_NOT_FOUND: _text(
        "There is no file or folder {path} on this machine.",
        "Check the path; it must exist on the machine that runs the model, not on the one with the browser.",
        "本机上没有文件或文件夹 {path}。",
        "请检查路径；它必须位于运行模型的机器上，而不是打开浏览器的机器上。",
    ),
    _C.SOURCE_NOT_READABLE: _text(
        "{path} cannot be read by the account that runs aiMindServe.",
        "Give that account read access, for example: chmod a+r {path}",
        "运行 aiMindServe 的账户无法读取 {path}。",
        "请授予该账户读取权限，例如：chmod a+r {path}",
    ),
    _C.SOURCE_NO_MODEL: _text(
        "No model was found in {path}.",
        "Name a .gguf file, a folder with one, or a Hugging Face folder with config.json and .safetensors files.",
        "在 {path} 中没有找到模型。",
        "请指定 .gguf 文件、含有该文件的文件夹，或含有 config.json 和 .safetensors 的 Hugging Face 文件夹。",
    ),
    _C.SOURCE_NOT_SUPPORTED: _text(
        "Sources of the kind {kind}:// cannot be deployed yet.",
        "Download the files and deploy their path, or use demo://tiny-vlm.",
        "暂不支持部署 {kind}:// 类型的来源。",
        "请先下载文件再用其路径部署，或使用 demo://tiny-vlm。",
    ),
    _C.DEMO_UNKNOWN: _text(
        "There is no demo model {name}.",
        "Use demo://tiny-vlm.",
        "没有名为 {name} 的演示模型。",
        "请使用 demo://tiny-vlm。",
    ),
    _C.GGUF_CORRUPT: _text(
        "{path} is damaged or incomplete: {detail}.",
        "Copy or download the file again and compare its size and checksum with the original.",
        "{path} 已损坏或不完整：{detail}。",
        "请重新复制或下载该文件，并与原文件核对大小和校验和。",
    ),
    _C.GGUF_IS_PROJECTOR: _text(
        "{path} is a multimodal projector, not a language model.",
        "Deploy the model file beside it; the projector is then found by itself.",
        "{path} 是多模态投影器，而不是语言模型。",
        "请部署与它放在一起的模型文件；投影器会被自动找到。",
    ),
    _C.SPLIT_INCOMPLETE: _text(
        "The model is split into {total} files and {missing} is not there.",
        "Put all parts into one folder and deploy the first one.",
        "模型分为 {total} 个文件，缺少 {missing}。",
        "请把所有分片放在同一文件夹中，并部署第一个分片。",
    ),
    _C.PROJECTOR_MISSING: _text(
        "{path} is a vision model, but no projector (mmproj) file that fits it lies beside it.",
        "Put the model's mmproj-*.gguf into the same folder, then try again.",
        "{path} 是视觉模型，但旁边没有与之匹配的投影器（mmproj）文件。",
        "请把该模型的 mmproj-*.gguf 放入同一文件夹后重试。",
    ),
    _C.PROJECTOR_MISMATCH: _text(
        "The projector {projector} does not belong to {path}: it makes vectors of width {have}, the model wants {want}.",
        "Put the projector that was published with this model into the same folder.",
        "投影器 {projector} 与 {path} 不匹配：其输出宽度为 {have}，而模型需要 {want}。",
        "请把与该模型一同发布的投影器放入同一文件夹。",
    ),
    _C.FILE_CHANGED: _text(
        "{path} has changed or vanished since it was deployed.",
        "Restore the file, or edit the deployment so that it is read again.",
        "{path} 在部署之后被修改或删除。",
        "请恢复该文件，或编辑部署以重新读取。",
    ),
}

_ENGINE = {
    _C.ENGINE_NOT_INSTALLED: _text(
        "The engine {engine} is not installed on this node.",
        "Install it: {install}",
        "此节点未安装引擎 {engine}。",
        "请安装：{install}",
    ),
    _C.ENGINE_CANNOT_RUN: _text(
        "The engine {engine} does not run {format} models.",
        "Leave the engine on automatic, or choose {alternative}.",
        "引擎 {engine} 无法运行 {format} 格式的模型。",
        "请将引擎设为自动，或选择 {alternative}。",
    ),
    _C.ARCHITECTURE_NOT_SUPPORTED: _text(
        "{engine} {version} does not know the model architecture {architecture}.",
        "Use a newer version of the engine, or another model.",
        "{engine} {version} 不支持模型架构 {architecture}。",
        "请使用更新版本的引擎，或换用其他模型。",
    ),
    _C.PARAMETER_MANAGED: _text(
        "{flag} is set by aiMindServe.",
        "Remove {flag} from the backend parameters.",
        "{flag} 由 aiMindServe 设置。",
        "请从后端参数中删除 {flag}。",
    ),
    _C.PARAMETER_DENIED: _text(
        "{flag} is not allowed: it could open files, ports or run code on this machine.",
        "Remove {flag} from the backend parameters.",
        "不允许使用 {flag}：它可能在本机上打开文件、端口或执行代码。",
        "请从后端参数中删除 {flag}。",
    ),
    _C.PARAMETER_UNKNOWN: _text(
        "{engine} has no parameter {flag}.",
        "Did you mean {nearest}? Correct or remove it.",
        "{engine} 没有参数 {flag}。",
        "是否想用 {nearest}？请更正或删除。",
    ),
    _C.PARAMETER_VALUE: _text(
        "{flag} does not take the value “{value}”.",
        "Give {expected}.",
        "{flag} 不接受值“{value}”。",
        "应为：{expected}。",
    ),
    _C.ENVIRONMENT_DENIED: _text(
        "The environment variable {name} may not be set for an engine.",
        "Remove {name} from the deployment's environment.",
        "不允许为引擎设置环境变量 {name}。",
        "请从部署的环境变量中删除 {name}。",
    ),
}

_PLACEMENT = {
    _C.NO_NODE: _text(
        "No node is connected.",
        "Wait until a node reports, or look at the server's log.",
        "没有已连接的节点。",
        "请等待节点上报，或查看服务器日志。",
    ),
    _C.NODE_UNKNOWN: _text(
        "No node or device fits the placement wish “{wish}”.",
        "Choose one of the nodes and devices that are listed, or remove the wish.",
        "没有节点或设备符合放置要求“{wish}”。",
        "请选择列表中的节点和设备，或删除该要求。",
    ),
    _C.MEMORY_INSUFFICIENT: _text(
        "The model needs {needed} and the largest device offers {largest}.",
        "Choose a smaller model or quantization, or a shorter context (--ctx-size).",
        "模型需要 {needed}，而最大的设备只能提供 {largest}。",
        "请选择更小的模型或量化，或缩短上下文（--ctx-size）。",
    ),
    _C.MEMORY_CLAIMED: _text(
        "The model needs {needed}; {free} of {largest} is not claimed by other models.",
        "Stop another model, or wait until one is stopped; this one then starts by itself.",
        "模型需要 {needed}；{largest} 中仅有 {free} 未被其他模型占用。",
        "请停止其他模型，或等待其停止；此模型随后会自动启动。",
    ),
}

_LIFE = {
    _C.WAITING_FOR_NODE: _text(
        "Waiting for node {node} to take it on.",
        "Nothing to do; this takes a moment.",
        "正在等待节点 {node} 接收。",
        "无需操作，请稍候。",
    ),
    _C.NODE_UNREACHABLE: _text(
        "Node {node} has not been heard of for {seconds} s.",
        "Check that the machine is up and connected; what runs there goes on and is found again.",
        "已有 {seconds} 秒未收到节点 {node} 的消息。",
        "请检查该机器是否开机并联网；其上运行的模型会继续运行并被重新识别。",
    ),
    _C.STOP_REQUESTED: _text(
        "It is being stopped.",
        "Nothing to do; its memory is free as soon as the engine has ended.",
        "正在停止。",
        "无需操作；引擎结束后即释放内存。",
    ),
    _C.STOPPED_BY_USER: _text(
        "It was stopped.", "Start it to use it again.", "已被停止。", "启动后即可再次使用。"
    ),
    _C.SCALED_TO_ZERO: _text(
        "It has no replicas.",
        "Set the number of replicas to one or more.",
        "副本数为零。",
        "请将副本数设为一个或更多。",
    ),
    _C.RESTARTING: _text(
        "It is started again in {seconds} s (attempt {attempt}).",
        "Look at the log of the last attempt if this goes on.",
        "将在 {seconds} 秒后重新启动（第 {attempt} 次）。",
        "如果反复出现，请查看上一次的日志。",
    ),
    _C.ENGINE_PROGRAM_MISSING: _text(
        "The engine program {path} cannot be started.",
        "Install the engine again, or correct the configured path.",
        "无法启动引擎程序 {path}。",
        "请重新安装引擎，或更正配置的路径。",
    ),
    _C.ENGINE_CRASHED: _text(
        "The engine ended with exit code {exit_code}.",
        "Look at the last lines of its log; it is started again by itself.",
        "引擎以退出码 {exit_code} 结束。",
        "请查看其日志的最后几行；引擎会自动重新启动。",
    ),
    _C.ENGINE_KILLED: _text(
        "The engine was ended by signal {signal}.",
        "If this was not on purpose, look at its log and at the system's; it is started again by itself.",
        "引擎被信号 {signal} 终止。",
        "如非有意为之，请查看其日志和系统日志；引擎会自动重新启动。",
    ),
    _C.ENGINE_EXITED: _text(
        "The engine ended by itself although it was not asked to.",
        "Look at the last lines of its log; it is started again by itself.",
        "引擎未经要求自行结束。",
        "请查看其日志的最后几行；引擎会自动重新启动。",
    ),
    _C.ENGINE_OUT_OF_MEMORY: _text(
        "The engine ran out of memory.",
        "Shorten the context (--ctx-size), choose a smaller quantization, or stop another model.",
        "引擎内存不足。",
        "请缩短上下文（--ctx-size）、选择更小的量化，或停止其他模型。",
    ),
    _C.ENGINE_LOAD_FAILED: _text(
        "The engine could not load the model: {detail}.",
        "Check that the files are complete and that this engine version knows the model.",
        "引擎无法加载模型：{detail}。",
        "请检查文件是否完整，以及该引擎版本是否支持此模型。",
    ),
    _C.ENGINE_REFUSED_PARAMETER: _text(
        "The engine refused a parameter: {detail}.",
        "Correct the backend parameters of the deployment.",
        "引擎拒绝了一个参数：{detail}。",
        "请更正该部署的后端参数。",
    ),
    _C.ENGINE_ILLEGAL_INSTRUCTION: _text(
        "The engine was built for a newer processor than this one.",
        "Configure a llama-server built for this machine.",
        "引擎是为更新的处理器编译的，无法在本机运行。",
        "请配置为本机编译的 llama-server。",
    ),
    _C.ENGINE_START_TIMEOUT: _text(
        "The engine was not ready after {seconds} s.",
        "Look at its log; a large model on a slow disk may need a longer limit.",
        "引擎在 {seconds} 秒后仍未就绪。",
        "请查看其日志；大模型在慢速磁盘上可能需要更长的时限。",
    ),
    _C.ENGINE_NOT_ANSWERING: _text(
        "The engine has stopped answering.",
        "It is restarted if this goes on; look at its log.",
        "引擎停止响应。",
        "如持续如此将被重新启动；请查看其日志。",
    ),
    _C.PORT_TAKEN: _text(
        "Port {port} is in use by another program.",
        "Another port is tried by itself; for the public port use --port.",
        "端口 {port} 已被其他程序占用。",
        "会自动尝试其他端口；公共端口请用 --port 指定。",
    ),
    _C.DISK_FULL: _text(
        "The disk that holds {path} is full.",
        "Free some space there; it is tried again by itself.",
        "{path} 所在的磁盘已满。",
        "请释放空间；之后会自动重试。",
    ),
    _C.DEVICE_BUSY: _text(
        "The device {device} is still held by an earlier engine.",
        "It is tried again until that engine has ended.",
        "设备 {device} 仍被之前的引擎占用。",
        "在该引擎结束之前会不断重试。",
    ),
    _C.DRIVER_ABSENT: _text(
        "No {vendor} driver was found on this node.",
        "If it has such a GPU, install its driver; else there is nothing to do.",
        "此节点上没有找到 {vendor} 驱动。",
        "如有该类 GPU，请安装其驱动；否则无需操作。",
    ),
    _C.DEVICE_PROBE_FAILED: _text(
        "The devices of {vendor} could not be read: {detail}.",
        "Run the vendor's own tool (for example nvidia-smi) and repair what it reports.",
        "无法读取 {vendor} 的设备：{detail}。",
        "请运行厂商自带工具（例如 nvidia-smi），并修复其报告的问题。",
    ),
}

_REQUESTS = {
    _C.NOT_FOUND: _text(
        "There is no {kind} {name}.",
        "Check the name in the list.",
        "没有名为 {name} 的{kind}。",
        "请在列表中核对名称。",
    ),
    _C.NAME_TAKEN: _text(
        "The name {name} is already in use.",
        "Choose another name, or delete the other one first.",
        "名称 {name} 已被使用。",
        "请换一个名称，或先删除原有的。",
    ),
    _C.REVISION_CONFLICT: _text(
        "{name} was changed by someone else in the meantime.",
        "Load it again and repeat your change.",
        "{name} 已被他人修改。",
        "请重新加载后再修改。",
    ),
    _C.ACTION_NOT_ALLOWED: _text(
        "{name} cannot do “{action}” while it is {phase}.",
        "Wait for its state to change, or choose another action.",
        "{name} 处于 {phase} 状态时无法执行“{action}”。",
        "请等待状态变化，或选择其他操作。",
    ),
    _C.INVALID_REQUEST: _text(
        "The request is not valid: {detail}.",
        "Correct the field that is named.",
        "请求无效：{detail}。",
        "请更正所指出的字段。",
    ),
    _C.UNAUTHENTICATED: _text(
        "Nobody is logged in.",
        "Log in, or send an API key in the Authorization header.",
        "尚未登录。",
        "请登录，或在 Authorization 请求头中提供 API 密钥。",
    ),
    _C.FORBIDDEN: _text(
        "This is not allowed for you.",
        "Ask an administrator, or use a key with the scope that is needed.",
        "您没有权限执行此操作。",
        "请联系管理员，或使用具有所需权限范围的密钥。",
    ),
    _C.LOGIN_FAILED: _text(
        "The user name or the password is wrong.",
        "Try again; an administrator can reset a password with: aimindserve reset-admin-password",
        "用户名或密码错误。",
        "请重试；管理员可用以下命令重置密码：aimindserve reset-admin-password",
    ),
    _C.TOO_MANY_ATTEMPTS: _text(
        "There were too many attempts to log in.",
        "Try again in {seconds} s.",
        "登录尝试次数过多。",
        "请在 {seconds} 秒后重试。",
    ),
    _C.PASSWORD_CHANGE_REQUIRED: _text(
        "The initial password must be changed first.",
        "Set a new password, then go on.",
        "必须先修改初始密码。",
        "请设置新密码后继续。",
    ),
    _C.PASSWORD_TOO_SHORT: _text(
        "The password is shorter than {minimum} characters.",
        "Choose a longer one; several words are good.",
        "密码少于 {minimum} 个字符。",
        "请选择更长的密码，例如由多个词组成。",
    ),
    _C.PASSWORD_COMMON: _text(
        "This password is one that is guessed first.",
        "Choose another one.",
        "该密码过于常见。",
        "请换一个密码。",
    ),
    _C.PASSWORD_UNCHANGED: _text(
        "The new password is the old one.",
        "Choose another one.",
        "新密码与旧密码相同。",
        "请换一个密码。",
    ),
    _C.CSRF_FAILED: _text(
        "The request did not come from this page.",
        "Load the page again. Programs use an API key instead of the cookie.",
        "该请求并非来自本页面。",
        "请重新加载页面。程序请使用 API 密钥而非 Cookie。",
    ),
    _C.HOST_NOT_ALLOWED: _text(
        "This server does not answer for the name {host}.",
        "Use its IP address, or add the name to the setting allowed_hosts.",
        "本服务器不响应主机名 {host}。",
        "请使用 IP 地址，或将该名称加入设置 allowed_hosts。",
    ),
    _C.BODY_TOO_LARGE: _text(
        "The request is larger than {limit}.",
        "Send less at once.",
        "请求超过 {limit}。",
        "请减小单次请求的大小。",
    ),
    _C.METHOD_NOT_ALLOWED: _text(
        "This address does not take {method}.",
        "See the API description.",
        "此地址不支持 {method} 方法。",
        "请参阅 API 说明。",
    ),
    _C.STORAGE_UNAVAILABLE: _text(
        "The change could not be stored: {detail}.",
        "Check the disk and the database, then try again; nothing was changed.",
        "无法保存更改：{detail}。",
        "请检查磁盘和数据库后重试；未做任何更改。",
    ),
    _C.NOT_READY: _text(
        "The server is not ready yet: {detail}.",
        "Try again in a moment.",
        "服务器尚未就绪：{detail}。",
        "请稍后重试。",
    ),
    _C.INTERNAL_ERROR: _text(
        "Something went wrong inside the server.",
        "Try again; if it stays, report it with the request id and the server's log.",
        "服务器内部出错。",
        "请重试；如仍出现，请附上请求编号和服务器日志反馈。",
    ),
}

TEXTS: dict[ReasonCode, ReasonText] = {**_FILES, **_ENGINE, **_PLACEMENT, **_LIFE, **_REQUESTS}
