"""What the Hugging Face hub tells about repositories, in its JSON shapes. Pure but for digests made at first need."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from aimindserve.sim.hub_files import HubFile
from aimindserve.sim.hub_repositories import Repository

_CONFIG_KEYS = ("architectures", "model_type", "auto_map", "quantization_config")
_DATE = "2024-12-17T20:30:04.000Z"
_SHORT = ("likes", "trendingScore", "private", "downloads", "tags", "pipeline_tag", "library_name", "createdAt")
_FULL = ("author", "sha", "lastModified", "gated", "disabled", "siblings", *_SHORT)
_WHOLE = ("cardData", "config", "transformersInfo", "safetensors", "gguf", "spaces", "usedStorage", *_FULL)


def _config(repository: Repository, sha: str) -> dict[str, Any] | None:
    file = repository.commits[sha].get("config.json")
    if file is None:
        return None
    try:
        config = json.loads(file.content.read(0, file.content.size))
    except ValueError:
        return None
    return {key: config[key] for key in _CONFIG_KEYS if key in config}


def sibling(file: HubFile, *, blobs: bool) -> dict[str, Any]:
    """A file in a model's ``siblings``."""
    told: dict[str, Any] = {"rfilename": file.path}
    if blobs:
        told |= {"blobId": file.blob_id, "size": file.content.size}
        if file.lfs:
            told["lfs"] = {
                "sha256": file.content.sha256,
                "size": file.content.size,
                "pointerSize": len(file.pointer),
            }
    return told


def _value(repository: Repository, sha: str, key: str, *, blobs: bool) -> Any:
    about = repository.about
    files = repository.commits[sha].values()
    if key == "siblings":
        return [sibling(file, blobs=blobs) for file in files]
    if key == "config":
        return _config(repository, sha)
    if key == "usedStorage":
        return sum(file.content.size for file in files)
    fixed: dict[str, Any] = {
        "author": repository.id.partition("/")[0] if "/" in repository.id else None,
        "sha": sha,
        "gated": repository.gated,
        "private": repository.private,
        "disabled": False,
    }
    defaults: dict[str, Any] = {
        "likes": 0,
        "downloads": 0,
        "trendingScore": 0,
        "tags": [],
        "spaces": [],
        "createdAt": _DATE,
        "lastModified": _DATE,
    }
    return fixed[key] if key in fixed else about.get(key, defaults.get(key))


def _identity(repository: Repository) -> dict[str, Any]:
    number = hashlib.sha1(repository.id.encode(), usedforsecurity=False).hexdigest()[:24]
    return {"_id": number, "id": repository.id}


def model(
    repository: Repository,
    sha: str,
    *,
    keys: Iterable[str],
    blobs: bool = False,
    siblings_named: bool = True,
) -> dict[str, Any]:
    """One model with these properties; those it does not have are left out."""
    told = _identity(repository)
    if siblings_named:
        told["modelId"] = repository.id
    for key in keys:
        value = _value(repository, sha, key, blobs=blobs)
        if value is not None:
            told[key] = value
    return told


def listed_keys(expand: Sequence[str], *, full: bool, config: bool, card: bool) -> list[str]:
    """The properties that ``/api/models`` tells of each model."""
    if expand:
        return list(expand)
    keys = list(_FULL if full else _SHORT)
    return keys + ["config"] * config + ["cardData"] * card


def whole_keys(expand: Sequence[str]) -> list[str]:
    """The properties that ``/api/models/ID`` tells."""
    return list(expand) or list(_WHOLE)


def entry(file: HubFile, *, expand: bool) -> dict[str, Any]:
    """A file in a tree or in the answer about paths."""
    told: dict[str, Any] = {
        "type": "file",
        "oid": file.blob_id,
        "size": file.content.size,
        "path": file.path,
    }
    if file.lfs:
        told["lfs"] = {"oid": file.content.sha256, "size": file.content.size, "pointerSize": len(file.pointer)}
    return told | (_commit_fields(scanned=True) if expand else {})


def _commit_fields(*, scanned: bool) -> dict[str, Any]:
    last = {"id": "0" * 40, "title": "Upload files", "date": _DATE}
    if not scanned:
        return {"lastCommit": last}
    security = {"status": "safe", "avScan": {"status": "safe"}, "pickleImportScan": None}
    return {"lastCommit": last, "securityFileStatus": security}


def folder(path: str, *, expand: bool) -> dict[str, Any]:
    """A folder in a tree."""
    number = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    told: dict[str, Any] = {"type": "directory", "oid": number, "size": 0, "path": path}
    return told | (_commit_fields(scanned=False) if expand else {})


def tree(files: dict[str, HubFile], under: str, *, recursive: bool, expand: bool) -> list[dict[str, Any]] | None:
    """The entries below the folder ``under`` ("": the root) in the hub's order; None if there is no such folder."""
    prefix = f"{under}/" if under else ""
    inside = [path for path in files if path.startswith(prefix)]
    if not inside:
        return None if under else []
    folders: set[str] = set()
    shown: list[str] = []
    for path in inside:
        parts = path[len(prefix) :].split("/")
        depth = len(parts) - 1 if recursive else min(1, len(parts) - 1)
        folders.update(prefix + "/".join(parts[: count + 1]) for count in range(depth))
        if recursive or len(parts) == 1:
            shown.append(path)
    return [folder(path, expand=expand) for path in sorted(folders)] + [
        entry(files[path], expand=expand) for path in shown
    ]
