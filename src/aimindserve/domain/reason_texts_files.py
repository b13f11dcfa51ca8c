"""The words of reasons about model files on nodes: downloads and the store."""

from aimindserve.domain.reason_wording import ReasonText
from aimindserve.domain.reasons import ReasonCode

FILES_TEXTS: dict[ReasonCode, ReasonText] = {}
