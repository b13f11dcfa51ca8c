"""Reasons in words."""

from aimindserve.domain.reason_texts_life import LIFE_TEXTS
from aimindserve.domain.reason_texts_models import MODEL_TEXTS
from aimindserve.domain.reason_texts_requests import REQUEST_TEXTS
from aimindserve.domain.reason_wording import Explanation, ReasonText, Values
from aimindserve.domain.reasons import Language, Reason, ReasonCode

TEXTS: dict[ReasonCode, ReasonText] = {**MODEL_TEXTS, **LIFE_TEXTS, **REQUEST_TEXTS}


def explain(why: Reason, language: Language) -> Explanation:
    """``why`` in words. A value that is missing shows as ``?`` (the tests keep that from happening)."""
    text = TEXTS[why.code]
    pair = text.zh if language == "zh" else text.en
    values = Values({name: str(value) for name, value in why.params.items()})
    return Explanation(pair.message.format_map(values), pair.remedy.format_map(values))
