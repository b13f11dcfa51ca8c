"""The repositories that come along: true names, headers and sizes; other implementations read them."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import httpx
import pytest
from huggingface_hub import HfApi

from aimindserve.domain.gguf import read_header
from aimindserve.sim.hub_data import GRANTED, load
from aimindserve.sim.hub_files import Content
from aimindserve.sim.hub_gguf import model_file
from aimindserve.sim.hub_repositories import HUGGING_FACE, Catalogue, Repository
from aimindserve.sim.hub_server import FakeHub

GUIDE = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
# Published parameter counts of the guide's four models.
PARAMETERS = {
    "meta-llama/Llama-3.2-11B-Vision-Instruct": 10_670_220_835,
    "Qwen/Qwen2-VL-7B-Instruct": 8_291_375_616,
    "mistralai/Pixtral-12B-2409": 12_682_739_712,
    "microsoft/Phi-3.5-vision-instruct": 4_146_621_440,
}
# GB, as the original repository's page tells them.
SIZES = {
    "f16": 3.09, "Q8_0": 1.65, "Q6_K_L": 1.33, "Q6_K": 1.27, "Q5_K_L": 1.18, "Q5_K_M": 1.13, "Q5_K_S": 1.10,
    "Q4_K_L": 1.04, "Q4_K_M": 0.99, "Q4_K_S": 0.94, "Q4_0": 0.94, "IQ4_XS": 0.90, "Q3_K_L": 0.88, "Q3_K_M": 0.82,
    "Q3_K_S": 0.76, "Q2_K": 0.68,
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(true_size=True)


@pytest.fixture(scope="module")
def hub(catalogue: Catalogue) -> Iterator[FakeHub]:
    with FakeHub(catalogue) as running:
        yield running


def named(catalogue: Catalogue, name: str) -> Repository:
    found = catalogue.get(HUGGING_FACE, name)
    assert found is not None
    return found


def sparse(content: Content, path: Path) -> Path:
    """The content as a file that takes no space: the header, then a hole."""
    with path.open("wb") as file:
        file.write(content.read(0, min(content.size, 16 << 20)))
        file.truncate(content.size)
    return path


@pytest.mark.parametrize("name", [name for name in PARAMETERS if "Pixtral" not in name])
def test_the_client_library_counts_the_published_parameters(hub: FakeHub, name: str) -> None:
    told = HfApi(endpoint=hub.endpoint, token=GRANTED).get_safetensors_metadata(name)
    assert told.parameter_count == {"BF16": PARAMETERS[name]}
    assert len(told.files_metadata) == (2 if "Phi" in name else 5)
    assert sum(hub.sent.values()) < 2 << 20


@pytest.mark.parametrize("name", PARAMETERS)
def test_weights_fill_their_files_without_gaps(catalogue: Catalogue, name: str) -> None:
    total = 0
    for file in named(catalogue, name).files.values():
        if not file.path.endswith(".safetensors"):
            continue
        length = int.from_bytes(file.content.read(0, 8), "little")
        header = json.loads(file.content.read(8, length))
        header.pop("__metadata__")
        ends = [0]
        for tensor in header.values():
            start, end = tensor["data_offsets"]
            assert (start, end - start) == (ends[-1], 2 * math.prod(tensor["shape"]))
            ends.append(end)
        assert file.content.size == 8 + length + ends[-1]
        total += ends[-1]
    assert total == 2 * PARAMETERS[name]


def test_the_hub_tells_parameters_and_gates(hub: FakeHub) -> None:
    api = HfApi(endpoint=hub.endpoint, token=False)
    for name, total in PARAMETERS.items():
        info = api.model_info(name)
        assert info.safetensors is not None
        assert (info.safetensors.total, bool(info.gated)) == (total, name.startswith(("meta", "mistral")))
    assert api.model_info("microsoft/Phi-3.5-vision-instruct").config["auto_map"]


def described(name: str) -> dict[str, Any]:
    return json.loads((Path("src/aimindserve/sim/hubs") / name).read_bytes())["model"]


@pytest.mark.parametrize("name", ["Q4_K_M", "Q8_0", "Q6_K_L", "IQ4_XS", "Q2_K", "F16"])
def test_another_reader_reads_the_gguf_files(tmp_path: Path, name: str) -> None:
    # With a small vocabulary: the other reader takes its time for each word.
    told = described("bartowski-qwen2-vl-2b-instruct-gguf.json") | {"vocabulary": 512}
    content = model_file(told, name)
    reader = gguf.GGUFReader(sparse(content, tmp_path / "model.gguf"))
    assert sum(int(tensor.n_elements) for tensor in reader.tensors) == 1_543_714_304 - (151_936 - 512) * 1536
    assert reader.fields["qwen2vl.embedding_length"].contents() == 1536
    assert len(reader.fields["tokenizer.ggml.tokens"].data) == 512
    last = reader.tensors[-1]
    assert last.data_offset + last.n_bytes + -int(last.n_bytes) % 32 == content.size


def test_true_size_headers_are_found_with_little_traffic(hub: FakeHub) -> None:
    url = f"{hub.endpoint}/{GUIDE}/resolve/main/Qwen2-VL-2B-Instruct-Q4_K_M.gguf"
    hub.log.clear()
    with httpx.Client(follow_redirects=True) as client:
        size = int(client.head(url, follow_redirects=False).headers["X-Linked-Size"])

        def read(offset: int, count: int) -> bytes:
            end = min(offset + max(count, 1 << 20), size) - 1
            return client.get(url, headers={"Range": f"bytes={offset}-{end}"}).content[:count]

        header = read_header(read, size)
    assert sum(tensor.elements for tensor in header.tensors) == 1_543_714_304
    assert sum(hub.sent.values()) < 16 << 20


def test_another_reader_reads_the_projectors(catalogue: Catalogue, tmp_path: Path) -> None:
    for name, size in (("f16", 1_331_656_192), ("f32", 2537.81 * 2**20)):
        content = named(catalogue, GUIDE).files[f"mmproj-Qwen2-VL-2B-Instruct-{name}.gguf"].content
        reader = gguf.GGUFReader(sparse(content, tmp_path / f"{name}.gguf"))
        assert reader.fields["clip.vision.projection_dim"].contents() == 1536
        assert content.size == pytest.approx(size, rel=1e-4)


def test_sizes_are_the_published_ones(catalogue: Catalogue) -> None:
    files = named(catalogue, GUIDE).files
    sizes = {name: files[f"Qwen2-VL-2B-Instruct-{name}.gguf"].content.size / 1e9 for name in SIZES}
    assert sizes == {name: pytest.approx(size, rel=0.035) for name, size in SIZES.items()}


def test_split_files_are_parts_of_one_model(catalogue: Catalogue, tmp_path: Path) -> None:
    told = described("qwen-qwen2.5-7b-instruct-gguf.json")
    small = [model_file(told | {"vocabulary": 512}, "Q8_0", (number, 3)) for number in range(3)]
    readers = [gguf.GGUFReader(sparse(file, tmp_path / f"{number}.gguf")) for number, file in enumerate(small)]
    assert [reader.fields["split.no"].contents() for reader in readers] == [0, 1, 2]
    assert {reader.fields["split.count"].contents() for reader in readers} == {3}
    tensors = sum(len(reader.tensors) for reader in readers)
    assert {reader.fields["split.tensors.count"].contents() for reader in readers} == {tensors}
    files = named(catalogue, "Qwen/Qwen2.5-7B-Instruct-GGUF").files
    parts = [file.content for path, file in files.items() if "q8_0" in path]
    headers = [read_header(part.read, part.size) for part in parts]
    assert sum(tensor.elements for header in headers for tensor in header.tensors) == 7_615_616_512


def test_by_default_the_guide_s_files_are_a_model_that_runs(tmp_path: Path) -> None:
    files = named(load(), GUIDE).files
    models = {path: file for path, file in files.items() if path.endswith(".gguf")}
    assert len(models) == len({file.content.sha256 for file in models.values()})
    original = Path("src/aimindserve/demo_model/tiny-vlm-q8_0.gguf").read_bytes()
    served = files["Qwen2-VL-2B-Instruct-Q4_K_M.gguf"].content.read(0, 1 << 30)
    assert sum(a != b for a, b in zip(original, served, strict=True)) == 1
    (tmp_path / "model.gguf").write_bytes(served)
    reader = gguf.GGUFReader(tmp_path / "model.gguf")
    assert reader.fields["general.file_type"].contents() == gguf.LlamaFileType.MOSTLY_Q4_K_M
