"""What the log of a llama.cpp server says about its end. Wordings from llama-server b11434 and xllamacpp 2026.10."""

import re
from collections.abc import Sequence

from aimindserve.domain.facts import FileRole, ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.engines._diagnosis import Case, Cause, Causes, Diagnosis, any_of, detail, short
from aimindserve.engines._machine_causes import MACHINE_CAUSES
from aimindserve.engines.llama_measured import failed_part


def _first_path(facts: ModelFacts, role: FileRole) -> str:
    return next((file.path for file in facts.files_of(role)), facts.name)


def _file_in(lines: Sequence[str], facts: ModelFacts) -> str:
    """The file that could not be loaded: the projector when the log names it in a failure, else the weights."""
    projector = _first_path(facts, FileRole.PROJECTOR)
    blamed = any(projector in line and re.search(r"CLIP|multimodal|failed to open", line) for line in lines)
    return projector if blamed else _first_path(facts, FileRole.WEIGHTS)


def _mismatch(found: re.Match[str], case: Case) -> Reason:
    return reason(
        ReasonCode.PROJECTOR_MISMATCH,
        projector=_first_path(case.facts, FileRole.PROJECTOR),
        path=_first_path(case.facts, FileRole.WEIGHTS),
        have=int(found[2]),
        want=int(found[1]),
    )


_DAMAGE = (
    "corrupted or incomplete|not within the file bounds|invalid magic|failed to read|unexpectedly reached end"
    "|bad GGUF|read error"
)
_NO_MEMORY = (
    r"insufficient memory|[Ff]ailed to allocate \S* ?buffer|out of memory|std::bad_alloc|[Cc]annot allocate memory"
    r"|unable to allocate|failed to allocate buffer"
)
_WRONG_ARGUMENT = (
    r"(?:unknown|invalid|unrecognized) argument|argument |-{1,2}\S+ does not take |while handling argument"
)

_CAUSES: tuple[Cause, ...] = (
    (
        r"couldn't bind .*port:? (\d+)|address already in use.*?:(\d+)",
        lambda m, _case: reason(ReasonCode.PORT_TAKEN, port=int(m[1] or m[2])),
    ),
    (
        r"unknown model architecture: '([^']*)'",
        lambda m, case: reason(
            ReasonCode.ARCHITECTURE_NOT_SUPPORTED, engine="llama.cpp", version=case.version, architecture=m[1]
        ),
    ),
    (r"mismatch between text model \(n_embd = (\d+)\) and mmproj \(n_embd = (\d+)\)", _mismatch),
    (
        r"CLIP cannot be used as main model",
        lambda _m, case: reason(ReasonCode.GGUF_IS_PROJECTOR, path=_first_path(case.facts, FileRole.WEIGHTS)),
    ),
    (
        r"failed to open GGUF file '([^']*)' \(No such file",
        lambda m, _case: reason(ReasonCode.SOURCE_NOT_FOUND, path=m[1]),
    ),
    (
        r"failed to open GGUF file '([^']*)' \(Permission denied",
        lambda m, _case: reason(ReasonCode.SOURCE_NOT_READABLE, path=m[1]),
    ),
    (
        rf"(?:error loading model: |gguf_init_from_\w+: )(.*(?:{_DAMAGE}).*)",
        lambda m, case: reason(ReasonCode.GGUF_CORRUPT, path=_file_in(case.lines, case.facts), detail=short(m[1])),
    ),
    (
        r"((?:check_tensor_dims|done_getting_tensors|missing tensor|wrong shape)[^\n]*)",
        detail(ReasonCode.WEIGHTS_MISFIT),
    ),
    (
        any_of("unknown pre-tokenizer type", "unknown projector type", "unsupported projector type"),
        detail(ReasonCode.ENGINE_TOO_OLD_FOR_FILE),
    ),
    (
        any_of("[Ff]ailed to parse (?:the )?chat template", "error parsing (?:the )?chat template"),
        detail(ReasonCode.CHAT_TEMPLATE_BAD),
    ),
    (
        _NO_MEMORY,
        lambda _m, case: reason(ReasonCode.START_MEMORY_SHORT, part=failed_part(case.lines)),
    ),
    *MACHINE_CAUSES,
    (rf"error: ((?:{_WRONG_ARGUMENT}).*)", detail(ReasonCode.ENGINE_REFUSED_PARAMETER)),
    (
        r"error loading model: (.*)|failed to load multimodal model, '([^']*)'|failed to load model, '([^']*)'",
        detail(ReasonCode.ENGINE_LOAD_FAILED),
    ),
)
_LLAMA = Causes(_CAUSES)


def explain_log(lines: Sequence[str], facts: ModelFacts, version: str) -> Diagnosis:
    """Why the server ended, from the lines of its log. ``version`` is the program's."""
    return _LLAMA.diagnose(Case(lines, facts, version))
