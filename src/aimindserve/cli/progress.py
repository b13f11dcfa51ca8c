"""How far a download is, on one line of a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aimindserve.domain.units import format_bytes

if TYPE_CHECKING:
    from aimindserve.domain.files import TransferProgress

_BAR = 24
_CLEAR = "\r\x1b[2K"


def progress_text(progress: TransferProgress) -> str:
    """``[######------] 1.2 GiB of 4.7 GiB  34.0 MiB/s  1:43 left``."""
    share = min(1.0, progress.done / progress.total) if progress.total else 1.0
    filled = int(share * _BAR)
    parts = [f"[{'#' * filled}{'-' * (_BAR - filled)}] {format_bytes(progress.done)} of {format_bytes(progress.total)}"]
    if progress.rate:
        parts.append(f"{format_bytes(round(progress.rate))}/s")
    if progress.eta is not None:
        minutes, seconds = divmod(round(progress.eta), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    return "  ".join(parts)


class ProgressLine:
    """A line on standard error that is written again and again; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._shown = False
        self._live = sys.stderr.isatty()

    def show(self, label: str, progress: TransferProgress | None = None) -> None:
        """Write the line anew."""
        if self._live:
            told = f"{label} {progress_text(progress)}" if progress else label
            sys.stderr.write(_CLEAR + told)
            sys.stderr.flush()
            self._shown = True

    def end(self) -> None:
        """Take the line away; what follows starts on a clean one."""
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._shown = False
