"""What vLLM says when it ends. The lines are those of 0.10.2, 0.32 and 0.33, from runs and from the source."""

import pytest
from tests.domain import memory_models as models
from tests.engines.vllm_cases import ENGINE, install

from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import ReasonCode

CORE = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore_0': 1}"
C = ReasonCode


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        pytest.param(
            "ValueError: To serve at least one request with the models's max seq len (131072), (48.00 GiB KV cache is "
            "needed, which is larger than the available KV cache memory (10.71 GiB). Based on the available memory, "
            "the estimated maximum model length is 29232. Try increasing `gpu_memory_utilization` or decreasing "
            "`max_model_len` when initializing the engine.",
            C.ENGINE_CACHE_TOO_SMALL,
            "--max-model-len=29232",
        ),
        pytest.param(
            "ValueError: The model's max seq len (32768) is larger than the maximum number of tokens that can be "
            "stored in KV cache (15312). Try increasing `gpu_memory_utilization` or decreasing `max_model_len`",
            C.ENGINE_CACHE_TOO_SMALL,
            "--max-model-len=15312",
        ),
        pytest.param(
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.92 GiB. GPU 0 has a total capacity of "
            "23.5 GiB of which 1.2 GiB is free.",
            C.START_MEMORY_SHORT,
            "shorter context",
        ),
        pytest.param(
            "ValueError: Free memory on device (10.2/79.11 GiB) on startup is less than desired GPU memory utilization "
            "(0.9, 71.2 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
            C.ENGINE_DEVICE_TAKEN,
            "10.2",
        ),
        pytest.param(
            "ValueError: Free memory on device cuda:0 (10.2/79.11 GiB) on startup is less than desired GPU memory "
            "utilization (0.92, 72.78 GiB).",
            C.ENGINE_DEVICE_TAKEN,
            "72.78",
        ),
        pytest.param(
            "ValueError: Model architectures ['NewThingForCausalLM'] are not supported for now. Supported:",
            C.ARCHITECTURE_NOT_SUPPORTED,
            "NewThingForCausalLM",
        ),
        pytest.param(
            "ValueError: Model architecture MllamaForConditionalGeneration was supported in vLLM until v0.10.2, and is "
            "not supported anymore.",
            C.ARCHITECTURE_NOT_SUPPORTED,
            "MllamaForConditionalGeneration",
        ),
        pytest.param(
            "AttributeError: 'MllamaProcessor' object has no attribute '_get_num_multimodal_tokens'",
            C.ARCHITECTURE_NOT_SUPPORTED,
            "Mllama",
        ),
        pytest.param(
            "vllm: error: unrecognized arguments: --swap-space=4",
            C.ENGINE_REFUSED_PARAMETER,
            "--swap-space",
        ),
        pytest.param(
            "usage: vllm serve [model_tag] [options]\nvllm serve: error: argument --limit-mm-per-prompt: Value image=4 "
            "cannot be converted to <function loads at 0x7f>.",
            C.ENGINE_REFUSED_PARAMETER,
            "--limit-mm-per-prompt",
        ),
        pytest.param(
            "ValueError: User-specified max_model_len (999999) is greater than the derived max_model_len "
            "(max_position_embeddings=32768 or model_max_length=None in model's config.json).",
            C.ENGINE_CONTEXT_TOO_LONG,
            "999999",
        ),
        pytest.param(
            "ValueError: The repository /m contains custom code which must be executed to correctly load the model. "
            "You can inspect the repository content. Please pass the argument `trust_remote_code=True`",
            C.ENGINE_NEEDS_CODE,
            "--trust-remote-code",
        ),
        ("RuntimeError: Cannot find any model weights with `/m`", C.ENGINE_FILES_MISSING, "/m"),
        pytest.param(
            "OSError: Can't load tokenizer for '/m'. If you were trying to load it from 'https://huggingface.co/models'",
            C.ENGINE_FILES_MISSING,
            "tokenizer",
        ),
        pytest.param(
            "RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update",
            C.DRIVER_TOO_OLD,
            "11040",
        ),
        pytest.param(
            "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:2251, unhandled cuda error",
            C.GPU_LINK_FAILED,
            "NCCL",
        ),
        pytest.param(
            "OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 18110): address already in "
            "use",
            C.PORT_TAKEN,
            "18110",
        ),
        pytest.param(
            "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU "
            "has compute capability 7.5.",
            C.DTYPE_UNSUPPORTED,
            "Bfloat16",
        ),
        pytest.param(
            "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (3).",
            C.HEADS_INDIVISIBLE,
            "28",
        ),
        ("ModuleNotFoundError: No module named 'torchvision'", C.ENGINE_PACKAGE_BROKEN, "torchvision"),
        ("RuntimeError: something else went wrong", C.ENGINE_LOAD_FAILED, "something else"),
    ],
)
def test_a_line_gives_its_reason(line: str, code: ReasonCode, told: str) -> None:
    prefixed = [f"(EngineCore_0 pid=7) {part}" for part in line.split("\n")]
    why = ENGINE.explain(["INFO 11-25 starting", *prefixed, CORE], models.PHI_3_5, install()).reason
    assert why is not None
    assert why.code is code
    assert told in " ".join(explain(why, "en"))
    assert "?" not in " ".join((*explain(why, "en"), *explain(why, "zh")))


def test_what_is_no_reason() -> None:
    lines = ["INFO 11-25 10:00:00 [api_server.py:1] Started server process [7]", CORE, "WARNING: all is well"]
    assert ENGINE.explain(lines, models.PHI_3_5, None).reason is None
