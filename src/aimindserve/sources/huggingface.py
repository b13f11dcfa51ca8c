"""``hf://``: the Hugging Face hub and its mirrors, asked through huggingface_hub."""

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from aimindserve.domain.hub_files import RepositoryFile
from aimindserve.domain.hubs import (
    TASK_OF_CAPABILITY,
    Hints,
    HubAccount,
    HubModel,
    HubPage,
    HubQuery,
    engines_for,
    guess_capabilities,
)
from aimindserve.domain.source import Source
from aimindserve.sources._base import RefusedError
from aimindserve.sources._hf_api import Question, hf_api
from aimindserve.sources._http import Asked, HubHttp
from aimindserve.sources._hub import HubContent, Snapshot

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo
    from huggingface_hub.hf_api import ModelSort_T, RepoSibling

_SORTS: "dict[str, ModelSort_T]" = {
    "downloads": "downloads",
    "likes": "likes",
    "updated": "last_modified",
    "trending": "trending_score",
}
_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2}
_SEEING_TASKS = ("image-text-to-text", "visual-question-answering", "any-to-any", "video-text-to-text")


class HuggingFaceHub:
    """The hub at ``access.endpoints["hf"]``."""

    def __init__(self, http: HubHttp) -> None:
        self.http = http

    def search(self, query: HubQuery) -> HubPage:
        """One page of models. Raises RefusedError."""
        question = Question(self.http, Asked(), query.cursor)
        tags = [*(["gguf"] if query.gguf else [])]
        with hf_api(question) as api:
            found = list(
                api.list_models(
                    search=query.text or None,
                    filter=tags or None,
                    pipeline_tag=query.task or TASK_OF_CAPABILITY.get(query.capability or ""),
                    num_parameters=_range(query.min_parameters, query.max_parameters),
                    sort=_SORTS[query.sort],
                    limit=query.limit,
                    expand=[
                        *("cardData", "config", "downloads", "gated", "gguf", "lastModified", "likes"),
                        *("library_name", "pipeline_tag", "safetensors", "tags"),
                    ],
                )
            )
        following = parse_qs(urlsplit(question.next).query).get("cursor") if question.next else None
        items = [_model(info) for info in found]
        # The hub knows no task for these two; what a page holds is sifted.
        if query.capability in ("tools", "thinking"):
            items = [item for item in items if query.capability in item.capabilities]
        return HubPage(tuple(items), following[0] if following else None)

    def snapshot(self, source: Source) -> Snapshot:
        """The repository at a commit. Raises RefusedError."""
        revision = source.revision or "main"
        question = Question(self.http, Asked(source.location, revision))
        with hf_api(question) as api:
            info = api.model_info(source.location, revision=revision, files_metadata=True)
        if not info.sha:
            detail = f"it names no commit of {source.location}"
            raise RefusedError(self.http.unreachable(detail))
        return Snapshot(
            hub="hf",
            repository=source.location,
            revision=info.sha,
            files=tuple(_file(sibling) for sibling in info.siblings or ()),
            content=HubContent(self.http, source.location, info.sha),
            license=_license(info),
            gated=bool(info.gated),
            vision=info.pipeline_tag in _SEEING_TASKS,
        )

    def whoami(self) -> HubAccount:
        """Whose token it is. Without a token only whether the hub answers. Raises RefusedError."""
        started = time.monotonic()
        name: str | None = None
        question = Question(self.http, Asked())
        with hf_api(question) as api:
            if self.http.token:
                name = str(api.whoami(token=self.http.token).get("name", ""))
            else:
                list(api.list_models(limit=1))
        return HubAccount("hf", name, 1000 * (time.monotonic() - started))


def _range(smallest: int | None, largest: int | None) -> str | None:
    parts = [f"{word}:{value}" for word, value in (("min", smallest), ("max", largest)) if value]
    return ",".join(parts) or None


def _file(sibling: "RepoSibling") -> RepositoryFile:
    lfs = sibling.lfs
    if lfs is not None:
        return RepositoryFile(sibling.rfilename, lfs.size, f"sha256:{lfs.sha256}")
    digest = f"git:{sibling.blob_id}" if sibling.blob_id else None
    return RepositoryFile(sibling.rfilename, sibling.size or 0, digest)


def _license(info: "ModelInfo") -> str | None:
    """The licence's own name where the card has one (``llama3.2``), else its tag."""
    card: dict[str, Any] = info.card_data.to_dict() if info.card_data else {}
    named = card.get("license_name") or card.get("license")
    if isinstance(named, str) and named:
        return named
    return next((tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")), None)


def _model(info: "ModelInfo") -> HubModel:
    tags = tuple(info.tags or ())
    gguf = info.gguf or {}
    weights = info.safetensors
    formats = frozenset(name for name in ("gguf", "safetensors") if name in tags)
    total: object = gguf.get("total") or (weights.total if weights else None)
    return HubModel(
        hub="hf",
        repository=info.id,
        downloads=info.downloads or 0,
        likes=info.likes or 0,
        updated_at=info.last_modified.timestamp() if info.last_modified else None,
        license=_license(info),
        gated=bool(info.gated),
        gguf="gguf" in tags,
        capabilities=guess_capabilities(
            Hints(info.id, (info.pipeline_tag,) if info.pipeline_tag else (), tags, template=_template(info))
        ),
        engines=engines_for(formats),
        parameters=total if isinstance(total, int) else None,
        size=sum(count * _BYTES.get(name, 1) for name, count in weights.parameters.items()) if weights else None,
    )


def _template(info: "ModelInfo") -> str:
    gguf: dict[str, Any] = info.gguf or {}
    config: dict[str, Any] = info.config or {}
    tokenizer = config.get("tokenizer_config")
    templates = (gguf.get("chat_template"), tokenizer.get("chat_template") if isinstance(tokenizer, dict) else None)
    return "\n".join(template for template in templates if isinstance(template, str))
