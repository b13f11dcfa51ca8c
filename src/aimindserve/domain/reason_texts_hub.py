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
}
