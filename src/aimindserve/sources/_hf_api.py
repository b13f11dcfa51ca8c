"""huggingface_hub on our own connections: its questions and its shapes, our time-outs, proxy and reasons.

The library is imported at the first question (it is slow to import) and never writes anything. It keeps one HTTP
client for the whole process; the one that is set here hands every request to the ``HubHttp`` of the thread that asks.
Failures leave it as RefusedError at once, past the library's own waiting and trying again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimindserve.sources._base import RefusedError
from aimindserve.sources._http import Asked, HubHttp, explain_answer

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi


@dataclass
class Question:
    """Questions of one thread. ``cursor`` is put into them; ``next``: where the last answer's next page is."""

    http: HubHttp
    about: Asked
    cursor: str | None = None
    next: str | None = None


_ASKING: ContextVar[Question | None] = ContextVar("question", default=None)
_INSTALLED = threading.Event()
_LOCK = threading.Lock()


@contextmanager
def hf_api(question: Question) -> Iterator["HfApi"]:
    """huggingface_hub's client, asking through ``question`` inside the block. Raises RefusedError."""
    _install()
    from huggingface_hub import HfApi  # noqa: PLC0415  # slow to import

    token = _ASKING.set(question)
    try:
        # The token is added by HubHttp; False keeps the library from looking for one in the user's home.
        yield HfApi(endpoint=question.http.endpoint, token=False)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # A captive portal's page, or a mirror that leaves out what the library counts on.
        detail = "an answer of an unknown form came"
        raise RefusedError(question.http.unreachable(detail)) from error
    finally:
        _ASKING.reset(token)


def _install() -> None:
    with _LOCK:
        if _INSTALLED.is_set():
            return
        import httpx2  # noqa: PLC0415  # the HTTP client that huggingface_hub uses
        from huggingface_hub import set_client_factory  # noqa: PLC0415

        class Bridge(httpx2.HTTPTransport):
            """Hands requests of the library to HubHttp; those from outside of ``hf_api`` go their usual way."""

            def handle_request(self, request: "httpx2.Request") -> "httpx2.Response":
                question = _ASKING.get()
                return super().handle_request(request) if question is None else _forward(question, request)

        set_client_factory(lambda: httpx2.Client(transport=Bridge(), follow_redirects=True))
        _INSTALLED.set()


def _forward(question: Question, request: "httpx2.Request") -> "httpx2.Response":
    import httpx2  # noqa: PLC0415

    url = request.url.copy_set_param("cursor", question.cursor) if question.cursor else request.url
    answer = question.http.send(str(url), method=request.method)
    if answer.status >= 400:
        raise RefusedError(explain_answer(question.http, answer, question.about))
    response = httpx2.Response(answer.status, content=answer.body, request=request)
    link = answer.headers.get("link")
    if link:
        response.headers["link"] = link
    question.next = response.links.get("next", {}).get("url")
    return response
