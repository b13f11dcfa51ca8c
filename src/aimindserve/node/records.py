"""Files of the node: private, replaced atomically."""

import contextlib
import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def write_private(path: Path, data: bytes) -> None:
    """Replace ``path`` with a file of mode 0600 that holds ``data``; readers see the old or the new content.

    Raises:
        OSError: the disk is full, or the folder is not there.
    """
    temporary = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def read_model(path: Path, model: type[Model]) -> Model | None:
    """The model in a JSON file; None when there is none that can be read."""
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
