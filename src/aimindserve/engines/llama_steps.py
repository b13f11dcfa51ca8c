"""The stages of a llama.cpp server's start. Wordings of xllamacpp 2026.10, llama-server b11434, and older builds."""

from aimindserve.engines._steps import steps

LLAMA_STEPS = steps(
    "program",
    ("weights", r"load_model: loading model|llama_model_loader: loaded meta data"),
    ("cache", r"constructing llama_context|llama_new_context_with_model: n_ctx "),
    ("warm_up", r"warming up the model"),
    ("vision", r"clip_model_loader: |clip_ctx: CLIP using|clip_model_load: "),
    ("healthy", r"init: model loaded|main: model loaded|server is listening|listening on http"),
)
