"""What a folder tells of the repository whose files it holds, and the facts that are read from it."""

import json
import struct
from pathlib import Path

import pytest
from tests.support.gguf_files import write_model, write_projector

from aimindserve.domain.facts import FileRole, ModelFacts
from aimindserve.domain.files import IMPORTED, unsafe_name
from aimindserve.domain.reasons import Reason
from aimindserve.domain.source import parse_source
from aimindserve.sources import Asking, Brought, brought_facts, look_into

COMMIT = "c" * 40
SHA = "a" * 64
GIT = "b" * 40


def seen(path: Path) -> Brought:
    found = look_into(path)
    assert isinstance(found, Brought), found
    return found


def facts(brought: Brought, source: str, projector: str | None = None) -> ModelFacts:
    found = brought_facts(brought, parse_source(source), Asking(projector=projector))
    assert isinstance(found, ModelFacts), found
    return found


def gguf_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder / "Tiny-Q8_0.gguf")
    write_model(folder / "Tiny-Q4_K_M.gguf")
    write_projector(folder / "mmproj-Tiny-f16.gguf")
    (folder / "README.md").write_text("# Tiny")
    return folder


def cached(root: Path, *commits: str) -> Path:
    """A model's folder of a Hugging Face cache, as ``huggingface_hub`` lays it out."""
    model = root / "models--maker--Tiny-GGUF"
    (model / "blobs").mkdir(parents=True)
    write_model(model / "blobs" / SHA)
    for commit in commits:
        snapshot = model / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (snapshot / "Tiny-Q4_K_M.gguf").symlink_to(f"../../blobs/{SHA}")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(commits[0])
    return model


def test_a_plain_folder_tells_nothing_but_has_a_model_of_the_named_repository(tmp_path: Path) -> None:
    brought = seen(gguf_folder(tmp_path / "usb"))
    assert brought.source(None) is None
    named = brought.source(parse_source("hf://maker/Tiny-GGUF"))
    assert str(named) == "hf://maker/Tiny-GGUF"
    found = facts(brought, "hf://maker/Tiny-GGUF")
    assert found.origin is not None
    assert (found.origin.repository, found.origin.revision) == ("maker/Tiny-GGUF", IMPORTED)
    assert [(file.path, file.role) for file in found.files] == [
        ("Tiny-Q4_K_M.gguf", FileRole.WEIGHTS),
        ("mmproj-Tiny-f16.gguf", FileRole.PROJECTOR),
    ]
    assert found.sees_images
    assert unsafe_name(found) is None
    assert facts(brought, "ms://maker/Tiny-GGUF:Q8_0").files[0].path == "Tiny-Q8_0.gguf"
    assert len(facts(brought, "hf://maker/Tiny-GGUF", "none").files) == 1


def test_a_quantization_that_is_not_there_is_refused(tmp_path: Path) -> None:
    brought = seen(gguf_folder(tmp_path))
    found = brought_facts(brought, parse_source("hf://maker/Tiny-GGUF:Q2_K"), Asking())
    assert isinstance(found, Reason)
    assert found.code == "quantization_not_found"


def test_a_named_file_is_the_model(tmp_path: Path) -> None:
    brought = seen(gguf_folder(tmp_path) / "Tiny-Q8_0.gguf")
    source = brought.source(parse_source("hf://maker/Tiny-GGUF"))
    assert str(source) == "hf://maker/Tiny-GGUF/Tiny-Q8_0.gguf"
    assert str(brought.source(parse_source("hf://maker/Tiny-GGUF:Q4_K_M"))) == "hf://maker/Tiny-GGUF:Q4_K_M"


def test_a_cache_tells_repository_commit_and_digests(tmp_path: Path) -> None:
    model = cached(tmp_path / "hub", COMMIT)
    for path in (tmp_path / "hub", model, model / "snapshots" / COMMIT):
        brought = seen(path)
        source = brought.source(None)
        assert str(source) == f"hf://maker/Tiny-GGUF@{COMMIT}"
        assert brought.digests == {"Tiny-Q4_K_M.gguf": f"sha256:{SHA}"}
        assert facts(brought, str(source), "none").files[0].digest == f"sha256:{SHA}"
    # Under another name it is somebody else's: the commit does not go along.
    assert str(seen(model).source(parse_source("hf://other/name"))) == "hf://other/name"


def test_a_cache_with_several_models_or_commits_is_not_guessed_at(tmp_path: Path) -> None:
    model = cached(tmp_path / "hub", COMMIT, "d" * 40)
    assert seen(model).revision == COMMIT
    (model / "refs" / "main").write_text("e" * 40)
    several = look_into(model)
    assert isinstance(several, Reason)
    assert several.code == "import_several"
    (tmp_path / "hub" / "models--maker--Other").mkdir()
    models = look_into(tmp_path / "hub")
    assert isinstance(models, Reason)
    assert models.code == "import_several"
    assert "models--maker--Other" in str(models.params["there"])


def test_the_notes_of_a_local_download_tell_commit_and_digests(tmp_path: Path) -> None:
    folder = gguf_folder(tmp_path / "Tiny-GGUF")
    notes = folder / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    (notes / "Tiny-Q4_K_M.gguf.metadata").write_text(f"{COMMIT}\n{SHA}\n1712656091.123\n")
    (notes / "README.md.metadata").write_text(f"{COMMIT}\n{GIT}\n1712656091.123\n")
    (notes / "Tiny-Q8_0.gguf.metadata").write_text("nonsense")
    brought = seen(folder)
    assert brought.digests == {"Tiny-Q4_K_M.gguf": f"sha256:{SHA}", "README.md": f"git:{GIT}"}
    assert str(brought.source(parse_source("hf://maker/Tiny-GGUF"))) == f"hf://maker/Tiny-GGUF@{COMMIT}"
    (notes / "Tiny-Q8_0.gguf.metadata").write_text(f"{'d' * 40}\n{SHA}\n1\n")
    assert seen(folder).revision is None  # two commits: nobody knows which


def test_a_checkpoint_comes_with_all_that_an_engine_reads(tmp_path: Path) -> None:
    header = json.dumps({"a.weight": {"dtype": "BF16", "shape": [4, 4], "data_offsets": [0, 32]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(32))
    config = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 4}
    (tmp_path / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "original").mkdir()
    (tmp_path / "original" / "consolidated.pth").write_bytes(b"x")
    found = facts(seen(tmp_path), "hf://maker/Tiny")
    assert {file.path for file in found.files} == {
        *("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")
    }


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_what_is_no_model_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    found = look_into(tmp_path / name)
    if isinstance(found, Brought):
        assert isinstance(brought_facts(found, parse_source("hf://a/b"), Asking()), Reason)
    else:
        assert found.code == "source_not_found"
