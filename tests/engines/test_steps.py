"""Stages of starts, read out of logs as they were seen."""

import pytest

from aimindserve.engines._steps import StepReader
from aimindserve.engines.llama_steps import LLAMA_STEPS
from aimindserve.engines.vllm_steps import VLLM_STEPS
from aimindserve.sim.engine_logs import ready_lines, start_lines
from aimindserve.sim.engine_options import read_options

# vLLM 0.10.2 on an H100, compiled and with graphs.
VLLM_GPU = """
INFO 09-18 09:11:02 [__init__.py:216] Automatically detected platform cuda.
(APIServer pid=11) INFO 09-18 09:11:08 [api_server.py:1896] vLLM API server version 0.10.2
(APIServer pid=11) INFO 09-18 09:11:16 [__init__.py:742] Resolved architecture: Qwen2VLForConditionalGeneration
(EngineCore_DP0 pid=92) INFO 09-18 09:11:24 [core.py:76] Initializing a V1 LLM engine (v0.10.2) with config: model=
(EngineCore_DP0 pid=92) INFO 09-18 09:11:27 [gpu_model_runner.py:2338] Starting to load model Qwen/Qwen2-VL-7B...
Loading safetensors checkpoint shards:   0% Completed | 0/5 [00:00<?, ?it/s]
Loading safetensors checkpoint shards:  40% Completed | 2/5 [00:02<00:04,  1.40s/it]
(EngineCore_DP0 pid=92) INFO 09-18 09:11:35 [default_loader.py:268] Loading weights took 6.94 seconds
(EngineCore_DP0 pid=92) INFO 09-18 09:11:36 [gpu_model_runner.py:2392] Model loading took 15.6 GiB and 7.9 seconds
(EngineCore_DP0 pid=92) INFO 09-18 09:11:46 [backends.py:539] Using cache directory: /c for vLLM's torch.compile
(EngineCore_DP0 pid=92) INFO 09-18 09:11:46 [backends.py:550] Dynamo bytecode transform time: 8.21 s
(EngineCore_DP0 pid=92) INFO 09-18 09:12:16 [backends.py:215] Compiling a graph for dynamic shape takes 29.5 s
(EngineCore_DP0 pid=92) INFO 09-18 09:12:20 [monitor.py:34] torch.compile takes 37.7 s in total
(EngineCore_DP0 pid=92) INFO 09-18 09:12:23 [gpu_worker.py:298] Available KV cache memory: 51.22 GiB
(EngineCore_DP0 pid=92) INFO 09-18 09:12:23 [kv_cache_utils.py:864] GPU KV cache size: 959,024 tokens
Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  12%|#2        | 8/67 [00:00<00:02, 21.5it/s]
(EngineCore_DP0 pid=92) INFO 09-18 09:12:27 [gpu_model_runner.py:3118] Graph capturing finished in 4 secs, took 0.5 GiB
(EngineCore_DP0 pid=92) INFO 09-18 09:12:27 [core.py:218] init engine (profile, create kv cache) took 51.03 seconds
(APIServer pid=11) INFO 09-18 09:12:30 [api_server.py:1971] Starting vLLM API server 0 on http://127.0.0.1:8000
"""
# vLLM 0.32.0 built for the CPU, eager.
VLLM_CPU = """
(APIServer pid=12) INFO 11-25 17:02:47 [api_utils.py:286] non-default args: {'model_tag': '/m', 'enforce_eager': True}
(APIServer pid=12) INFO 11-25 17:03:05 [model.py:733] Resolved architecture: Qwen2VLForConditionalGeneration
(EngineCore pid=128) INFO 11-25 17:03:17 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: model='/m'
(Worker pid=133) INFO 11-25 17:03:36 [cpu_model_runner.py:68] Starting to load model /m...
Loading safetensors checkpoint shards: 100% Completed | 1/1 [00:00<00:00, 13.41it/s]
(Worker pid=133) INFO 11-25 17:03:37 [default_loader.py:501] Loading weights took 0.08 seconds
(Worker pid=133) INFO 11-25 17:03:38 [cpu_worker.py:260] Explicitly set (1.0/23.54) GiB for KV cache on node 0.
(EngineCore pid=128) INFO 11-25 17:03:38 [kv_cache_utils.py:2327] CPU KV cache size: 524,288 tokens
(EngineCore pid=128) INFO 11-25 17:03:39 [core.py:402] init engine (profile, create kv cache) took 0.83 s
(APIServer pid=12) INFO 11-25 17:03:42 [entry.py:140] Starting vLLM server on http://127.0.0.1:18790
"""
# xllamacpp 2026.10 with the demo model.
LLAMA = """
0.00.000.331 I srv          init: initializing ...
0.00.003.414 I srv    load_model: loading model '/m/tiny-vlm-q8_0.gguf'
0.00.006.187 I cmn  common_init_: fitting params to device memory ...
0.00.010.178 I llama_model_loader: loaded meta data with 24 key-value pairs and 50 tensors from /m/tiny-vlm-q8_0.gguf
0.00.012.329 I load_tensors:   CPU_Mapped model buffer size =     3.47 MiB
0.00.012.485 I llama_context: constructing llama_context
0.00.053.063 I llama_kv_cache:        CPU KV buffer size =     8.00 MiB
0.00.069.348 I sched_reserve:        CPU compute buffer size =    11.02 MiB
0.00.073.869 I cmn  common_init_: warming up the model with an empty run - please wait ... (--no-warmup to disable)
0.00.083.471 I clip_model_loader: model name:   Tiny Vlm
0.00.099.288 I srv    load_model: loaded multimodal model, '/m/mmproj-tiny-vlm-q8_0.gguf'
0.00.105.900 I srv          init: model loaded
"""


def test_every_stage_of_a_start_on_a_gpu() -> None:
    reader = StepReader(VLLM_STEPS)
    assert tuple(reader.read(VLLM_GPU.splitlines())) == VLLM_STEPS.order[:-1]
    assert reader.stage == "healthy"


def test_how_much_of_the_weights_is_loaded() -> None:
    reader = StepReader(VLLM_STEPS)
    lines = VLLM_GPU.splitlines()
    loading = next(index for index, line in enumerate(lines) if "40% Completed" in line)
    reader.read(lines[: loading + 1])
    assert (reader.stage, reader.share) == ("weights", 0.4)
    reader.read(lines[loading + 1 :])
    assert reader.share is None


def test_without_compiling_and_graphs_these_stages_are_left_out() -> None:
    assert StepReader(VLLM_STEPS).read(VLLM_CPU.splitlines()) == [
        stage for stage in VLLM_STEPS.order[:-1] if stage not in ("compile", "graphs", "warm_up")
    ]


def test_every_stage_of_a_llama_cpp_server() -> None:
    reader = StepReader(LLAMA_STEPS)
    assert tuple(reader.read(LLAMA.splitlines())) == LLAMA_STEPS.order[:-1]
    assert reader.stage == "healthy"


def test_line_by_line_or_at_once_is_the_same() -> None:
    reader = StepReader(VLLM_STEPS)
    one_by_one = [stage for line in VLLM_GPU.splitlines() for stage in reader.read([line])]
    assert one_by_one == StepReader(VLLM_STEPS).read(VLLM_GPU.splitlines())


def test_what_is_over_is_not_told_again_when_the_log_is_read_anew() -> None:
    reader = StepReader(VLLM_STEPS, ended=("accepted", "program", "configuration", "engine", "weights"))
    assert reader.read(VLLM_GPU.splitlines()) == ["compile", "profile", "cache", "graphs", "warm_up"]


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (("--model", "/m/a.gguf", "--mmproj", "/m/b.gguf"), LLAMA_STEPS),
        (("serve", "/m"), VLLM_STEPS),
    ],
)
def test_the_emulated_engine_goes_through_stages_too(words: tuple[str, ...], steps: object) -> None:
    options = read_options(words, {})
    known = LLAMA_STEPS if steps is LLAMA_STEPS else VLLM_STEPS
    reader = StepReader(known)
    reader.read([*start_lines(options), *ready_lines(options)])
    assert reader.stage == "healthy"
