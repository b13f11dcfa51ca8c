"""The words of reasons about hubs: search, access, what a repository holds."""

from aimindserve.domain.reason_wording import ReasonText
from aimindserve.domain.reasons import ReasonCode

HUB_TEXTS: dict[ReasonCode, ReasonText] = {}
