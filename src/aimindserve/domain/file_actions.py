"""What may be done with a model's files."""

from enum import StrEnum

from aimindserve.domain.files import ModelState


class FileAction(StrEnum):
    """What a person may do with a model's files now."""

    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    DELETE = "delete"
    FORGET = "forget"
    """Take a local path off the list; nothing on the disk is touched."""
    DEPLOY = "deploy"


class WantedFiles(StrEnum):
    """What was last ordered of a model's files on a node."""

    STORED = "stored"
    PAUSED = "paused"
    DELETED = "deleted"
    """They go, and the order with them once the node has none left."""


def file_actions(
    state: ModelState, wanted: WantedFiles | None, *, used: bool, local: bool = False
) -> tuple[FileAction, ...]:
    """The actions that make sense. ``wanted`` None: nobody ordered them, a deployment brought them. ``used``: a
    deployment needs them; then they can neither go nor be paused (its own stop ends the download)."""
    if local:
        return (FileAction.DEPLOY, FileAction.FORGET)
    if wanted is WantedFiles.DELETED:
        return ()
    found: list[FileAction] = []
    if state is ModelState.READY:
        found.append(FileAction.DEPLOY)
    if state in (ModelState.QUEUED, ModelState.DOWNLOADING) and wanted is WantedFiles.STORED and not used:
        found.append(FileAction.PAUSE)
    if state is ModelState.PAUSED:
        found.append(FileAction.RESUME)
    if state is ModelState.FAILED and wanted is not None:
        found.append(FileAction.RETRY)
    if not used:
        found.append(FileAction.DELETE)
    return tuple(found)
