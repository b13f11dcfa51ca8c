"""What the log of a llama.cpp server says about its end. Wordings from llama-server b11434 and xllamacpp 2026.10."""

import re
from collections.abc import Callable, Sequence

from aimindserve.domain.facts import FileRole, ModelFacts
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.engines.llama_measured import failed_part

_Match = re.Match[str]


def _first_path(facts: ModelFacts, role: FileRole) -> str:
    return next((file.path for file in facts.files_of(role)), facts.name)


def _file_in(lines: Sequence[str], facts: ModelFacts) -> str:
    """The file that could not be loaded: the projector when the log names it in a failure, else the weights."""
    projector = _first_path(facts, FileRole.PROJECTOR)
    blamed = any(projector in line and re.search(r"CLIP|multimodal|failed to open", line) for line in lines)
    return projector if blamed else _first_path(facts, FileRole.WEIGHTS)


def _mismatch(found: _Match, facts: ModelFacts) -> Reason:
    return reason(
        ReasonCode.PROJECTOR_MISMATCH,
        projector=_first_path(facts, FileRole.PROJECTOR),
        path=_first_path(facts, FileRole.WEIGHTS),
        have=int(found[2]),
        want=int(found[1]),
    )


_Builder = Callable[[_Match, Sequence[str], ModelFacts, str], Reason]

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

# The first pattern with a matching line wins: causes before their consequences.
_PATTERNS: tuple[tuple[str, _Builder], ...] = (
    (
        r"couldn't bind .*port:? (\d+)|address already in use.*?:(\d+)",
        lambda m, _lines, _facts, _version: reason(ReasonCode.PORT_TAKEN, port=int(m[1] or m[2])),
    ),
    (
        r"[Ii]llegal instruction",
        lambda _m, _lines, _facts, _version: reason(ReasonCode.ENGINE_ILLEGAL_INSTRUCTION),
    ),
    (
        r"(?:error while loading shared libraries: |ImportError: )(\S+): cannot open shared object file",
        lambda m, _lines, _facts, _version: reason(ReasonCode.ENGINE_LIBRARY_MISSING, library=m[1]),
    ),
    (
        r"unknown model architecture: '([^']*)'",
        lambda m, _lines, _facts, version: reason(
            ReasonCode.ARCHITECTURE_NOT_SUPPORTED, engine="llama.cpp", version=version, architecture=m[1]
        ),
    ),
    (
        r"mismatch between text model \(n_embd = (\d+)\) and mmproj \(n_embd = (\d+)\)",
        lambda m, _lines, facts, _version: _mismatch(m, facts),
    ),
    (
        r"CLIP cannot be used as main model",
        lambda _m, _lines, facts, _version: reason(
            ReasonCode.GGUF_IS_PROJECTOR, path=_first_path(facts, FileRole.WEIGHTS)
        ),
    ),
    (
        r"failed to open GGUF file '([^']*)' \(No such file",
        lambda m, _lines, _facts, _version: reason(ReasonCode.SOURCE_NOT_FOUND, path=m[1]),
    ),
    (
        r"failed to open GGUF file '([^']*)' \(Permission denied",
        lambda m, _lines, _facts, _version: reason(ReasonCode.SOURCE_NOT_READABLE, path=m[1]),
    ),
    (
        rf"(?:error loading model: |gguf_init_from_\w+: )(.*(?:{_DAMAGE}).*)",
        lambda m, lines, facts, _version: reason(
            ReasonCode.GGUF_CORRUPT, path=_file_in(lines, facts), detail=m[1].strip().rstrip(".")
        ),
    ),
    (
        _NO_MEMORY,
        lambda _m, lines, _facts, _version: reason(ReasonCode.START_MEMORY_SHORT, part=failed_part(lines)),
    ),
    (
        rf"error: (({_WRONG_ARGUMENT}).*)",
        lambda m, _lines, _facts, _version: reason(ReasonCode.ENGINE_REFUSED_PARAMETER, detail=_short(m[1])),
    ),
    (
        r"error loading model: (.*)|failed to load multimodal model, '([^']*)'|failed to load model, '([^']*)'",
        lambda m, _lines, _facts, _version: reason(ReasonCode.ENGINE_LOAD_FAILED, detail=_short(m[1] or m[2] or m[3])),
    ),
)
_COMPILED = tuple((re.compile(pattern), builder) for pattern, builder in _PATTERNS)


def _short(text: str) -> str:
    return text.strip().rstrip(".")[:200]


def explain_log(lines: Sequence[str], facts: ModelFacts, version: str) -> Reason | None:
    """Why the server ended, from the lines of its log; None when they do not tell. ``version`` is the program's."""
    for pattern, builder in _COMPILED:
        for line in lines:
            found = pattern.search(line)
            if found:
                return builder(found, lines, facts, version)
    return None
