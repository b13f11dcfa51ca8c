"""Reasons in words."""

from aimindserve.domain.reason_texts_causes import CAUSE_TEXTS
from aimindserve.domain.reason_texts_doctor import DOCTOR_TEXTS
from aimindserve.domain.reason_texts_engines import ENGINE_TEXTS
from aimindserve.domain.reason_texts_environments import ENVIRONMENT_TEXTS
from aimindserve.domain.reason_texts_files import FILES_TEXTS
from aimindserve.domain.reason_texts_fit import FIT_TEXTS
from aimindserve.domain.reason_texts_hub import HUB_TEXTS
from aimindserve.domain.reason_texts_life import LIFE_TEXTS
from aimindserve.domain.reason_texts_memory import MEMORY_REASON_TEXTS, PARTS
from aimindserve.domain.reason_texts_models import MODEL_TEXTS
from aimindserve.domain.reason_texts_operations import OPERATIONS_TEXTS
from aimindserve.domain.reason_texts_requests import REQUEST_TEXTS
from aimindserve.domain.reason_wording import Explanation, ReasonText, Values
from aimindserve.domain.reasons import Language, Reason, ReasonCode

TEXTS: dict[ReasonCode, ReasonText] = {
    **MODEL_TEXTS,
    **HUB_TEXTS,
    **FILES_TEXTS,
    **FIT_TEXTS,
    **ENGINE_TEXTS,
    **ENVIRONMENT_TEXTS,
    **LIFE_TEXTS,
    **CAUSE_TEXTS,
    **OPERATIONS_TEXTS,
    **DOCTOR_TEXTS,
    **MEMORY_REASON_TEXTS,
    **REQUEST_TEXTS,
}

# Values that are words of ours, in these sentences. Names, paths and numbers stay as they are in every language.
_WITH_WORDS = frozenset({ReasonCode.NOT_FOUND, ReasonCode.ACTION_NOT_ALLOWED})
_IN_CHINESE: dict[str, dict[str, str]] = {
    "kind": {
        "address": "地址",
        "alias": "别名",
        "approval": "授权",
        "attempt": "启动记录",
        "deployment": "部署",
        "engine": "引擎",
        "family": "模型系列",
        "file": "文件",
        "key": "密钥",
        "replica": "副本",
        "user": "用户",
    },
    "phase": {
        "pending": "等待中",
        "placing": "调度中",
        "downloading": "下载中",
        "preparing": "准备中",
        "starting": "启动中",
        "ready": "就绪",
        "asleep": "休眠中",
        "stopping": "停止中",
        "stopped": "已停止",
        "failed": "失败",
        "unreachable": "失联",
        "the last administrator": "唯一管理员",
    },
    "action": {
        "start": "启动",
        "stop": "停止",
        "restart": "重启",
        "scale": "调整副本数",
        "edit": "编辑",
        "delete": "删除",
        "remove": "移除",
    },
}


def explain(why: Reason, language: Language) -> Explanation:
    """``why`` in words. A value that is missing shows as ``?`` (the tests keep that from happening)."""
    text = TEXTS[why.code]
    pair = text.zh if language == "zh" else text.en
    ours = _IN_CHINESE if language == "zh" and why.code in _WITH_WORDS else {}
    values = Values({name: ours.get(name, {}).get(str(value), str(value)) for name, value in why.params.items()})
    if why.code in MEMORY_REASON_TEXTS and "part" in values:
        values["part"] = PARTS.get(values["part"], PARTS["unknown"])[1 if language == "zh" else 0]
    return Explanation(pair.message.format_map(values), pair.remedy.format_map(values))
