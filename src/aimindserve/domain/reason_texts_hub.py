"""The words of reasons about hubs: search, access, what a repository holds."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

_REACH: dict[ReasonCode, ReasonText] = {
    _C.HUB_OFFLINE: text(
        "{hub} is not asked: this system is set to work offline.",
        "Use a local path or a model that is already stored, or switch offline off in the settings.",
        "当前为离线模式，不会访问 {hub}。",
        "请使用本地路径或已下载的模型，或在设置中关闭离线模式。",
    ),
    _C.HUB_UNREACHABLE: text(
        "{hub} ({endpoint}) does not answer as it should: {detail}.",
        "Check the network and the proxy. Behind a firewall set a mirror, for example https://hf-mirror.com, in the "
        "settings or with HF_ENDPOINT. Local paths and stored models work without it.",
        "{hub}（{endpoint}）未正常响应：{detail}。",
        "请检查网络和代理。若网络受限，可在设置中或通过 HF_ENDPOINT 使用镜像，例如 https://hf-mirror.com。"
        "本地路径和已下载的模型仍可使用。",
    ),
    _C.HUB_RATE_LIMITED: text(
        "{hub} takes no more requests from here for {seconds} seconds.",
        "Wait that long and try again. With a token the limits are higher.",
        "{hub} 在 {seconds} 秒内不再接受来自此处的请求。",
        "请等待后重试。使用令牌可获得更高的额度。",
    ),
    _C.REPOSITORY_NEEDS_TOKEN: text(
        "{repository} may only be read with a token.",
        "Accept the licence on {page}, then store a token in the settings or give it as HF_TOKEN.",
        "读取 {repository} 需要令牌。",
        "请在 {page} 接受许可协议，然后在设置中保存令牌，或通过 HF_TOKEN 提供。",
    ),
    _C.TOKEN_INVALID: text(
        "{hub} does not know the token.",
        "Make a new token on {page} and store it in the settings. If it came as HF_TOKEN, correct it there.",
        "{hub} 不认可该令牌。",
        "请在 {page} 创建新令牌并保存到设置中。若通过 HF_TOKEN 提供，请在该处更正。",
    ),
    _C.TOKEN_SCOPE: text(
        "The token may not read {repository}.",
        "Give the token read access to this repository (for gated ones: “public gated repositories”) on {page}.",
        "该令牌无权读取 {repository}。",
        "请在 {page} 为令牌授予该仓库的读取权限（受限仓库需勾选“public gated repositories”）。",
    ),
}

_REPOSITORIES: dict[ReasonCode, ReasonText] = {
    _C.REPOSITORY_NOT_FOUND: text(
        "There is no repository {repository} on {hub}, or it is private.",
        "Check the spelling; organisation and name are both needed. For a private one store a token that may read it.",
        "{hub} 上没有仓库 {repository}，或它是私有的。",
        "请检查拼写，需同时填写组织和名称。若为私有仓库，请保存有读取权限的令牌。",
    ),
    _C.REPOSITORY_GATED: text(
        "The licence of {repository} has not been accepted by the token's account.",
        "Open {page} with that account, accept the licence (some need an approval by the publisher) and try again.",
        "令牌所属账户尚未接受 {repository} 的许可协议。",
        "请用该账户打开 {page} 接受许可协议（部分仓库需发布者批准），然后重试。",
    ),
    _C.REPOSITORY_NO_MODEL: text(
        "No model that an engine could load was found in {repository}.",
        "Choose a repository with .gguf files, or with config.json and .safetensors files.",
        "在 {repository} 中没有找到引擎可加载的模型。",
        "请选择包含 .gguf 文件，或包含 config.json 和 .safetensors 文件的仓库。",
    ),
    _C.REVISION_NOT_FOUND: text(
        "{repository} has no revision {revision}.",
        "Leave the revision out for the newest one, or name a branch, a tag or a commit that exists.",
        "{repository} 没有版本 {revision}。",
        "请留空以使用最新版本，或填写存在的分支、标签或提交。",
    ),
    _C.HUB_FILE_NOT_FOUND: text(
        "{repository} has no file {file}.",
        "Look at the list of its files and name one of them.",
        "{repository} 中没有文件 {file}。",
        "请查看其文件列表并指定其中之一。",
    ),
    _C.QUANTIZATION_NOT_FOUND: text(
        "{repository} has no quantization {wanted}.",
        "Choose one of: {available}.",
        "{repository} 没有量化版本 {wanted}。",
        "请从以下版本中选择：{available}。",
    ),
    _C.PROJECTOR_NOT_FOUND: text(
        "{source} has no projector {projector}.",
        "It has: {there}. Leave the projector out to have one chosen, or give “none” for text only.",
        "{source} 中没有投影文件 {projector}。",
        "现有：{there}。留空可自动选择，填写“none”则仅使用文本。",
    ),
    _C.PICKLE_ONLY: text(
        "{repository} keeps its weights only as pickles ({files}), which run code when they are opened.",
        "Choose a repository with .safetensors or .gguf files of the same model.",
        "{repository} 仅提供 pickle 格式的权重（{files}），打开时会执行代码。",
        "请选择提供同一模型 .safetensors 或 .gguf 文件的仓库。",
    ),
    _C.GGUF_UNJOINED: text(
        "{path} is a piece that has to be joined with others first.",
        "Choose another quantization or another publisher; llama.cpp cannot load such pieces.",
        "{path} 是需要先合并的分片。",
        "请选择其他量化版本或其他发布者；llama.cpp 无法加载此类分片。",
    ),
    _C.GGUF_OBSOLETE: text(
        "{path} has a layout that llama.cpp no longer reads.",
        "Choose Q4_0 instead: llama.cpp arranges it for this processor when it loads it.",
        "{path} 采用 llama.cpp 已不再支持的布局。",
        "请改用 Q4_0：llama.cpp 加载时会按处理器自动重排。",
    ),
    _C.TEXT_ONLY: text(
        "{repository} is about a model that sees, but has no projector that fits: it will answer to text only.",
        "Name a projector yourself, or choose a repository that has an mmproj file.",
        "{repository} 的模型支持视觉，但没有匹配的投影文件，只能处理文本。",
        "请自行指定投影文件，或选择包含 mmproj 文件的仓库。",
    ),
}

HUB_TEXTS: dict[ReasonCode, ReasonText] = {
    **_REACH,
    **_REPOSITORIES,
    _C.REMOTE_CODE_UNCONFIRMED: text(
        "{repository} brings Python code that the engine would run: {files} (commit {revision}).",
        "Read these files on the model's page. If you trust them, confirm the code for this commit, in the form or "
        "with --confirm-code. A GGUF version of the model needs no code.",
        "{repository} 带有引擎将会执行的 Python 代码：{files}（提交 {revision}）。",
        "请在模型页面上阅读这些文件。若信任它们，请在表单中或用 --confirm-code 确认该提交的代码。"
        "该模型的 GGUF 版本不需要代码。",
    ),
}
