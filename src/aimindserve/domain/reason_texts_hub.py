"""The words of reasons about hubs: search, access, what a repository holds."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

HUB_TEXTS: dict[ReasonCode, ReasonText] = {
    _C.REMOTE_CODE_UNCONFIRMED: text(
        "{repository} brings Python code that the engine would run: {files} (commit {revision}).",
        "Read these files on the model's page. If you trust them, confirm the code for this commit, in the form or "
        "with --confirm-code. A GGUF version of the model needs no code.",
        "{repository} 带有引擎将会执行的 Python 代码：{files}（提交 {revision}）。",
        "请在模型页面上阅读这些文件。若信任它们，请在表单中或用 --confirm-code 确认该提交的代码。"
        "该模型的 GGUF 版本不需要代码。",
    ),
    _C.HUB_OFFLINE: text(
        "{source} would have to be asked of a hub, and this server is set to offline.",
        "Deploy files of this machine (an absolute path), or switch off “offline” under Settings.",
        "{source} 需要访问模型站点，而本服务器设置为离线。",
        "请部署本机文件（绝对路径），或在“设置”中关闭离线模式。",
    ),
    _C.HUB_UNREACHABLE: text(
        "{hub} does not answer as it should: {detail}.",
        "Check the network and the proxy, or set a mirror such as https://hf-mirror.com under Settings.",
        "{hub} 未正常响应：{detail}。",
        "请检查网络和代理，或在“设置”中使用镜像，例如 https://hf-mirror.com。",
    ),
    _C.HUB_RATE_LIMITED: text(
        "{hub} asks for a pause of {seconds} s.",
        "Try again later. With a token of your own (Settings) more is allowed.",
        "{hub} 要求暂停 {seconds} 秒。",
        "请稍后重试。在“设置”中保存自己的令牌可获得更高额度。",
    ),
    _C.HUB_FILE_NOT_FOUND: text(
        "The repository has no file {file}.",
        "Look at the repository's list of files; capitals matter.",
        "仓库中没有文件 {file}。",
        "请查看仓库的文件列表，注意大小写。",
    ),
    _C.REPOSITORY_NOT_FOUND: text(
        "There is no repository {repository}, or it is private.",
        "Check the spelling (organisation/name). A private one needs a token of an account that may read it.",
        "没有仓库 {repository}，或它是私有的。",
        "请检查拼写（组织/名称）。私有仓库需要有读取权限的账户令牌。",
    ),
    _C.REPOSITORY_GATED: text(
        "The account of the stored token has no access to {repository}.",
        "Log in to the hub with that account, accept the licence at {page}, then try again.",
        "所存令牌的账户无权访问 {repository}。",
        "请用该账户登录模型站点，在 {page} 接受许可协议后重试。",
    ),
    _C.REPOSITORY_NEEDS_TOKEN: text(
        "{repository} is only given to people who accepted its licence, and there is no token here.",
        "Accept the licence at {page}, then store a token under Settings (or set HF_TOKEN).",
        "{repository} 仅提供给已接受许可协议的用户，而此处没有令牌。",
        "请在 {page} 接受许可协议，然后在“设置”中保存令牌（或设置 HF_TOKEN）。",
    ),
    _C.REPOSITORY_NO_GGUF: text(
        "{repository} has no GGUF file.",
        "Choose a repository with GGUF files of this model; their names often end in -GGUF.",
        "{repository} 中没有 GGUF 文件。",
        "请选择含有该模型 GGUF 文件的仓库，名称通常以 -GGUF 结尾。",
    ),
    _C.REVISION_NOT_FOUND: text(
        "{repository} has no revision {revision}.",
        "Leave the revision out, or name a branch, a tag or a commit that is there.",
        "{repository} 没有版本 {revision}。",
        "请去掉版本，或填写存在的分支、标签或提交。",
    ),
    _C.QUANTIZATION_NOT_FOUND: text(
        "The repository has no quantization {wanted}.",
        "Choose one of: {available}.",
        "仓库中没有量化版本 {wanted}。",
        "请从以下版本中选择：{available}。",
    ),
    _C.TOKEN_INVALID: text(
        "{hub} does not know the token.",
        "Make a new one in your account there (read access is enough) and store it under Settings.",
        "{hub} 不认识该令牌。",
        "请在您的账户中新建令牌（只读即可），并保存到“设置”中。",
    ),
    _C.TOKEN_SCOPE: text(
        "The token may not read this on {hub}.",
        "Give it the right to read gated repositories, or make a new one.",
        "该令牌在 {hub} 上没有读取权限。",
        "请为其授予读取受限仓库的权限，或新建令牌。",
    ),
}
