"""Usage that could not be handed over before the gateway ended: kept on disk for the next one to send.

One file for each gateway that ended so. Taking a file is renaming it, so two gateways never take the same one; and a
record that is sent twice all the same is counted once, by its request id.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from aimindserve.domain.usage import UsageRecord
from aimindserve.gateway.private import read_private, replace_private


def keep_unsent(folder: Path, gateway_id: str, records: Sequence[UsageRecord]) -> bool:
    """Write ``records`` down, if there are any; False when the disk does not take them."""
    if not records:
        return True
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        replace_private(folder / f"{gateway_id}.json", msgspec.json.encode(records))
    except OSError:
        return False
    return True


def take_unsent(folder: Path) -> list[UsageRecord]:
    """What earlier gateways left. The files are gone afterwards; what cannot be read is left out."""
    records: list[UsageRecord] = []
    try:
        files = sorted(folder.glob("*.json"))
    except OSError:
        return records
    for file in files:
        mine = file.with_suffix(".taken")
        try:
            file.rename(mine)
            content = read_private(mine)
            mine.unlink()
            records += msgspec.json.decode(content or b"[]", type=list[UsageRecord])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            continue
    return records
