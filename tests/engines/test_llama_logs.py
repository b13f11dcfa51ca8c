"""What the log says about the end of a llama.cpp server. Lines as they were seen."""

import pytest

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.reasons import ReasonCode
from aimindserve.engines.llama_logs import explain_log

FACTS = ModelFacts(
    format=ModelFormat.GGUF,
    architecture="qwen2vl",
    name="model",
    files=(
        ModelFile(path="/m/model.gguf", role=FileRole.WEIGHTS, size=10),
        ModelFile(path="/m/mmproj.gguf", role=FileRole.PROJECTOR, size=5),
    ),
)
LOAD = "0.00.005.1 E srv    load_model: failed to load model, '/m/model.gguf'"
CUT = "tensor 'token_embd.weight' data is not within the file bounds, model is corrupted or incomplete"
FIT = "0.00.004.5 E common_fit_params: encountered an error while trying to fit params to free device memory: failed"

UNKNOWN = {"part": "unknown"}


@pytest.mark.parametrize(
    ("lines", "code", "params"),
    [
        (
            ["E srv start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 18440"],
            ReasonCode.PORT_TAKEN,
            {"port": 18440},
        ),
        (
            ["E llama_model_load: error loading model: unknown model architecture: 'qwen9zz'", FIT, LOAD],
            ReasonCode.ARCHITECTURE_NOT_SUPPORTED,
            {"engine": "llama.cpp", "version": "b1", "architecture": "qwen9zz"},
        ),
        (
            [
                "E mtmd_init_from_file: error: mismatch between text model (n_embd = 256) and mmproj (n_embd = 64)",
                "E srv    load_model: failed to load multimodal model, '/m/mmproj.gguf'",
            ],
            ReasonCode.PROJECTOR_MISMATCH,
            {"projector": "/m/mmproj.gguf", "path": "/m/model.gguf", "have": 64, "want": 256},
        ),
        (
            [
                "E llama_model_load: error loading model: CLIP cannot be used as main model, use it with --mmproj",
                LOAD,
            ],
            ReasonCode.GGUF_IS_PROJECTOR,
            {"path": "/m/model.gguf"},
        ),
        (
            ["E gguf_init_from_file: failed to open GGUF file '/m/model.gguf' (No such file or directory)", LOAD],
            ReasonCode.SOURCE_NOT_FOUND,
            {"path": "/m/model.gguf"},
        ),
        (
            ["E gguf_init_from_file: failed to open GGUF file '/m/model.gguf' (Permission denied)", LOAD],
            ReasonCode.SOURCE_NOT_READABLE,
            {"path": "/m/model.gguf"},
        ),
        (
            [
                f"E llama_model_load: error loading model: {CUT}",
                FIT,
                LOAD,
            ],
            ReasonCode.GGUF_CORRUPT,
            {"path": "/m/model.gguf", "detail": CUT},
        ),
        (
            [
                "E gguf_init_from_reader: invalid magic characters: '????', expected 'GGUF'",
                "E mtmd_init_from_file: error: Failed to load CLIP model from /m/mmproj.gguf",
            ],
            ReasonCode.GGUF_CORRUPT,
            {"path": "/m/mmproj.gguf", "detail": "invalid magic characters: '????', expected 'GGUF'"},
        ),
        (
            [
                "E ggml_aligned_malloc: insufficient memory (attempted to allocate 39062.50 MB)",
                "E llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
            ],
            ReasonCode.START_MEMORY_SHORT,
            {"part": "kv_cache"},
        ),
        (["terminate called after throwing an instance of 'std::bad_alloc'"], "start_memory_short", UNKNOWN),
        (
            ["ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory"],
            "start_memory_short",
            UNKNOWN,
        ),
        (
            ["ImportError: libgomp.so.1: cannot open shared object file: No such file or directory"],
            ReasonCode.ENGINE_LIBRARY_MISSING,
            {"library": "libgomp.so.1"},
        ),
        (
            ["llama-server: error while loading shared libraries: libcurl.so.4: cannot open shared object file"],
            ReasonCode.ENGINE_LIBRARY_MISSING,
            {"library": "libcurl.so.4"},
        ),
        (["Illegal instruction (core dumped)"], ReasonCode.ENGINE_ILLEGAL_INSTRUCTION, {}),
        (
            ["error: invalid argument: --prot"],
            ReasonCode.ENGINE_REFUSED_PARAMETER,
            {"detail": "invalid argument: --prot"},
        ),
        (["E llama_model_load: error loading model: odd thing."], "engine_load_failed", {"detail": "odd thing"}),
        ([FIT, LOAD], ReasonCode.ENGINE_LOAD_FAILED, {"detail": "/m/model.gguf"}),
    ],
)
def test_the_cause_is_found(lines: list[str], code: str, params: dict[str, object]) -> None:
    found = explain_log(["I srv init: initializing ...", *lines], FACTS, "b1").reason
    assert found is not None
    assert (found.code, found.params) == (code, params)


def test_a_quiet_log_says_nothing() -> None:
    assert explain_log(["I srv init: model loaded", "W srv operator(): unauthorized"], FACTS, "b1").reason is None
