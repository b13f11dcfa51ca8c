"""``file://``: a GGUF file, or a folder with GGUF files or a Hugging Face checkpoint."""

from pathlib import Path

from aimindserve.domain.gguf_files import choose_model
from aimindserve.domain.hf_model import CONFIG, PARAMS
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.source import Source
from aimindserve.sources._base import Asking, RefusedError, Resolution, is_folder, names_in
from aimindserve.sources._gguf import resolve_gguf
from aimindserve.sources._hf_folder import resolve_hf_folder


class LocalSource:
    """Files on this machine, under a path that a person names. Links are followed, as that person could."""

    def resolve(self, source: Source, asking: Asking) -> Resolution:
        """The facts of the model at ``source.location``. Raises RefusedError."""
        path = Path(source.location)
        if is_folder(path):
            return _resolve_folder(path, asking.projector)
        if path.suffix == ".safetensors" or path.name in (CONFIG, PARAMS):
            return resolve_hf_folder(path.parent)
        return resolve_gguf(path, asking.projector)


def _resolve_folder(folder: Path, projector: str | None) -> Resolution:
    names = names_in(folder)
    chosen = choose_model(name for name in names if name.endswith(".gguf"))
    if chosen is not None:
        return resolve_gguf(folder / chosen, projector)
    if CONFIG in names or PARAMS in names:
        return resolve_hf_folder(folder)
    raise RefusedError(reason(ReasonCode.SOURCE_NO_MODEL, path=str(folder)))
