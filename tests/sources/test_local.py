"""``file://`` sources: what is found, what is put together, and why something is refused."""

import json
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from tests.support.gguf_files import write_model, write_projector

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFormat
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.source import parse_source
from aimindserve.sources import resolve


def facts(path: Path | str) -> ModelFacts:
    found = resolve(parse_source(str(path)))
    assert isinstance(found, ModelFacts), found
    return found


def refusal(path: Path | str) -> Reason:
    found = resolve(parse_source(str(path)))
    assert isinstance(found, Reason), found
    return found


def names(found: ModelFacts, role: FileRole) -> list[str]:
    return [Path(file.path).name for file in found.files_of(role)]


def test_a_vision_model_with_its_projector(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny-Q8_0.gguf", name="Tiny")
    projector = write_projector(tmp_path / "mmproj-tiny-f16.gguf", name="Tiny")
    found = facts(model)
    assert found.format is ModelFormat.GGUF
    assert found.sees_images
    assert found.quantization == "Q8_0"
    assert [(file.path, file.role, file.size) for file in found.files] == [
        (str(model), FileRole.WEIGHTS, model.stat().st_size),
        (str(projector), FileRole.PROJECTOR, projector.stat().st_size),
    ]
    assert 0 < found.weight_bytes < model.stat().st_size
    assert 0 < found.projector_bytes < projector.stat().st_size
    assert found.vision is not None
    assert (found.vision.width, found.vision.patch_size, found.vision.merge_size) == (32, 14, 2)
    assert facts(f"file://{tmp_path}") == found
    assert facts(f"file://{tmp_path}/x/..//./tiny-Q8_0.gguf") == found


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["mmproj-F32.gguf", "mmproj-Q8_0.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf"], "mmproj-F16.gguf"),
        (["mmproj-F32.gguf", "mmproj-Q8_0.gguf", "mmproj-BF16.gguf"], "mmproj-BF16.gguf"),
        (["mmproj-F32.gguf", "mmproj-Q8_0.gguf"], "mmproj-Q8_0.gguf"),
        (["mmproj-other-model-F16.gguf", "mmproj-tiny-vision-F32.gguf"], "mmproj-tiny-vision-F32.gguf"),
        (["vision-tower.gguf"], "vision-tower.gguf"),
    ],
)
def test_the_right_projector_of_several(tmp_path: Path, there: list[str], chosen: str) -> None:
    for name in there:
        precision = next((known for known in ("BF16", "F16", "Q8_0", "F32") if known in name), "F16")
        write_projector(tmp_path / name, name="", precision=precision)
    write_model(tmp_path / "tiny-vision-Q4_K_M.gguf", name="Tiny Vision")
    assert names(facts(tmp_path), FileRole.PROJECTOR) == [chosen]


def test_a_projector_of_another_width_is_never_taken(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny.gguf", name="Tiny", width=64)
    write_projector(tmp_path / "mmproj-tiny-F16.gguf", name="Tiny", width=128)
    refused = refusal(model)
    assert refused.code is ReasonCode.PROJECTOR_MISMATCH
    assert refused.params == {"path": str(model), "projector": "mmproj-tiny-F16.gguf", "have": 128, "want": 64}
    write_projector(tmp_path / "mmproj-zzz-F32.gguf", name="Other", width=64)
    assert names(facts(model), FileRole.PROJECTOR) == ["mmproj-zzz-F32.gguf"]


def test_a_projector_of_another_family_is_never_taken(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny.gguf", architecture="qwen2vl")
    write_projector(tmp_path / "mmproj-tiny.gguf", kind="gemma3")
    assert refusal(model).code is ReasonCode.PROJECTOR_MISSING


def test_a_projector_in_the_folder_above(tmp_path: Path) -> None:
    (tmp_path / "Q4_K_M").mkdir()
    model = write_model(tmp_path / "Q4_K_M" / "tiny-Q4_K_M.gguf")
    write_projector(tmp_path / "mmproj-F16.gguf")
    assert names(facts(model), FileRole.PROJECTOR) == ["mmproj-F16.gguf"]


def test_a_text_model_takes_only_a_projector_that_names_it(tmp_path: Path) -> None:
    model = write_model(tmp_path / "story-writer-Q4_0.gguf", architecture="llama", name="Story")
    assert facts(model).capabilities == ("chat",)
    write_projector(tmp_path / "mmproj-pixtral-F16.gguf", kind="pixtral", name="Pixtral")
    assert not facts(model).sees_images
    write_projector(tmp_path / "mmproj-story-writer-F16.gguf", kind="pixtral", name="x")
    assert names(facts(model), FileRole.PROJECTOR) == ["mmproj-story-writer-F16.gguf"]


def test_a_text_model_beside_a_broken_projector_still_runs(tmp_path: Path) -> None:
    model = write_model(tmp_path / "story.gguf", architecture="llama")
    (tmp_path / "mmproj-story.gguf").write_bytes(b"GGUF")
    assert facts(model).capabilities == ("chat",)


def test_a_vision_model_without_its_projector(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny.gguf")
    refused = refusal(model)
    assert (refused.code, refused.params) == (ReasonCode.PROJECTOR_MISSING, {"path": str(model)})


def test_a_vision_model_with_a_damaged_projector(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny.gguf")
    projector = write_projector(tmp_path / "mmproj-tiny.gguf")
    os.truncate(projector, projector.stat().st_size - 64)
    refused = refusal(model)
    assert (refused.code, refused.params["path"]) == (ReasonCode.GGUF_CORRUPT, str(projector))


def test_split_models(tmp_path: Path) -> None:
    for number in range(3):
        name = f"big-Q4_K_M-{number + 1:05}-of-00003.gguf"
        write_model(tmp_path / name, architecture="llama", split=(number, 3))
    whole = facts(tmp_path)
    assert names(whole, FileRole.WEIGHTS) == [f"big-Q4_K_M-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
    assert whole.quantization == "Q4_K_M"
    assert facts(tmp_path / "big-Q4_K_M-00002-of-00003.gguf") == whole
    (tmp_path / "big-Q4_K_M-00003-of-00003.gguf").unlink()
    refused = refusal(tmp_path / "big-Q4_K_M-00001-of-00003.gguf")
    assert refused.code is ReasonCode.SPLIT_INCOMPLETE
    assert refused.params["total"] == 3
    assert str(refused.params["missing"]).endswith("big-Q4_K_M-00003-of-00003.gguf")


def test_a_renamed_part_of_a_split_model_is_incomplete(tmp_path: Path) -> None:
    write_model(tmp_path / "part.gguf", architecture="llama", split=(0, 2))
    assert refusal(tmp_path / "part.gguf").code is ReasonCode.SPLIT_INCOMPLETE


def test_a_folder_with_several_quantizations(tmp_path: Path) -> None:
    for tag in ("F16", "Q8_0", "Q4_K_M", "IQ2_M"):
        write_model(tmp_path / f"m-{tag}.gguf", architecture="llama")
    write_model(tmp_path / "m-imatrix.gguf", architecture="llama")
    assert names(facts(tmp_path), FileRole.WEIGHTS) == ["m-Q4_K_M.gguf"]


def test_a_link_is_followed_and_its_neighbours_are_those_of_the_link(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    write_model(tmp_path / "blobs" / "aaa")
    write_projector(tmp_path / "blobs" / "bbb")
    (tmp_path / "snapshot" / "tiny.gguf").symlink_to("../blobs/aaa")
    (tmp_path / "snapshot" / "mmproj-tiny.gguf").symlink_to("../blobs/bbb")
    assert names(facts(tmp_path / "snapshot"), FileRole.PROJECTOR) == ["mmproj-tiny.gguf"]


def test_things_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "file").write_text("x")
    for path in ("nothing.gguf", "loop", "dangling", "file/model.gguf", "x" * 300):
        assert refusal(tmp_path / path).code is ReasonCode.SOURCE_NOT_FOUND, path


def test_things_that_are_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    (tmp_path / "page.gguf").write_text("<html>404</html>")
    (tmp_path / "empty.gguf").touch()
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path / "pipe.gguf").code is ReasonCode.SOURCE_NO_MODEL
    assert refusal("/dev/zero").code is ReasonCode.SOURCE_NO_MODEL
    assert refusal(tmp_path / "page.gguf").code is ReasonCode.FILE_NOT_GGUF
    assert refusal(tmp_path / "empty.gguf").code is ReasonCode.FILE_NOT_GGUF
    assert refusal(tmp_path / "folder").code is ReasonCode.SOURCE_NO_MODEL
    projector = write_projector(tmp_path / "mmproj.gguf")
    assert refusal(projector).code is ReasonCode.GGUF_IS_PROJECTOR


def test_damaged_files(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", architecture="llama")
    whole = model.read_bytes()
    for data, code in (
        (whole[: len(whole) // 2], ReasonCode.GGUF_CORRUPT),
        (whole[:20], ReasonCode.GGUF_CORRUPT),
        (b"GGUF" + struct.pack("<I", 77) + whole[8:], ReasonCode.GGUF_UNSUPPORTED),
        (b"XXXX" + whole[4:], ReasonCode.FILE_NOT_GGUF),
    ):
        model.write_bytes(data)
        refused = refusal(model)
        assert refused.code is code
        assert refused.params["path"] == str(model)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_the_right_to_read(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", architecture="llama")
    model.chmod(0)
    assert refusal(model).code is ReasonCode.SOURCE_NOT_READABLE
    tmp_path.chmod(0o600)
    assert refusal(model).code is ReasonCode.SOURCE_NOT_READABLE
    tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look through the eyes of another account")
def test_a_file_that_another_account_may_not_read(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", architecture="llama")
    tmp_path.chmod(0o700)
    os.seteuid(65534)
    try:
        assert refusal(model).code is ReasonCode.SOURCE_NOT_READABLE
    finally:
        os.seteuid(0)


CONFIG = {
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 3,
    "intermediate_size": 128,
    "max_position_embeddings": 2048,
    "vocab_size": 100,
    "torch_dtype": "bfloat16",
    "vision_config": {"depth": 3, "embed_dim": 32, "hidden_size": 64, "patch_size": 14, "spatial_merge_size": 2},
}


def write_safetensors(path: Path, tensors: dict[str, tuple[int, ...]], *, cut: int = 0) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in tensors.items():
        begin, end = end, end + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(end - cut))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "qwen"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "preprocessor_config.json").write_text(json.dumps({"min_pixels": 3136, "max_pixels": 12544}))
    write_safetensors(folder / "model-00001-of-00002.safetensors", {"a": (64, 64), "b": (64,)})
    write_safetensors(folder / "model-00002-of-00002.safetensors", {"c": (10, 2)})
    return folder


def test_a_hugging_face_folder(checkpoint: Path) -> None:
    write_safetensors(checkpoint / "consolidated.safetensors", {"again": (64, 64)})
    found = facts(checkpoint)
    assert (found.format, found.architecture) == (ModelFormat.SAFETENSORS, "Qwen2VLForConditionalGeneration")
    assert found.sees_images
    assert found.parameters == 64 * 64 + 64 + 20
    assert found.weight_bytes == 2 * found.parameters
    assert (found.layers, found.heads, found.kv_heads, found.head_size) == (3, 4, 2, 16)
    assert (found.image_tokens_min, found.image_tokens_max) == (4, 16)
    assert len(found.files_of(FileRole.WEIGHTS)) == 2
    assert facts(checkpoint / "config.json") == found
    assert facts(checkpoint / "model-00002-of-00002.safetensors") == found


def test_damaged_hugging_face_folders(checkpoint: Path) -> None:
    broken = checkpoint.parent / "broken"
    shutil.copytree(checkpoint, broken)
    write_safetensors(broken / "model-00002-of-00002.safetensors", {"c": (10, 2)}, cut=1)
    assert refusal(broken).code is ReasonCode.SAFETENSORS_CORRUPT
    (broken / "model-00002-of-00002.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    assert refusal(broken).code is ReasonCode.SAFETENSORS_CORRUPT
    for text in ("", "[]", "{}", "{" * 100_000, '{"architectures": [3]}'):
        (broken / "config.json").write_text(text)
        assert refusal(broken).code is ReasonCode.CONFIG_INVALID, text[:10]
    (broken / "config.json").unlink()
    assert refusal(broken).code is ReasonCode.SOURCE_NO_MODEL
    (checkpoint / "preprocessor_config.json").write_text("not JSON")
    assert facts(checkpoint).image_tokens_max is None


def test_a_file_whose_name_is_no_text_is_left_alone(tmp_path: Path) -> None:
    """No database column and no JSON could hold its path."""
    model = write_model(tmp_path / "plain.gguf", name="Tiny")
    model.rename(tmp_path / os.fsdecode(b"caf\xe9.gguf"))
    assert refusal(f"file://{tmp_path}").code is ReasonCode.SOURCE_NO_MODEL
    shutil.rmtree(os.fsencode(tmp_path))
