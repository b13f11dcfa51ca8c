"""The words of reasons about fit: engine versions, parameters, memory and places."""

from aimindserve.domain.reason_wording import ReasonText
from aimindserve.domain.reasons import ReasonCode

FIT_TEXTS: dict[ReasonCode, ReasonText] = {}
