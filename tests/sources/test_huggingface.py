"""``hf://``: the right files of a repository, pinned, without a download."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gguf_files import write_model, write_projector
from tests.support.hub_server import REVISION, TOKEN, Fault, Hub, serving

from aimindserve.domain.facts import FileRole, ModelFacts
from aimindserve.domain.files import HubAccess, unsafe_name
from aimindserve.domain.reasons import Reason
from aimindserve.domain.source import parse_source
from aimindserve.sources import Asking, Resolution, resolve

REPOSITORY = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
NAME = "Qwen2-VL-2B-Instruct"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    model = write_model(tmp_path / "model.gguf").read_bytes()
    projector = write_projector(tmp_path / "mmproj.gguf").read_bytes()
    files = {f"{NAME}-{tag}.gguf": model for tag in ("IQ2_M", "Q2_K", "Q4_K_M", "Q8_0", "f16")}
    files |= {f"mmproj-{NAME}-{tag}.gguf": projector for tag in ("f16", "f32")}
    files |= {f"{NAME}.imatrix": b"x", "README.md": b"# Model", "config.json": b"{}"}
    with serving(Hub(files, repository=REPOSITORY)) as served:
        yield served


def looked(hub: Hub, text: str, token: str | None = None, projector: str | None = None) -> Resolution:
    tokens = {"hf": token} if token else {}
    access = HubAccess.model_validate({"endpoints": {"hf": hub.endpoint}, "tokens": tokens})
    return resolve(parse_source(text), Asking(access, projector))


def facts(hub: Hub, text: str, projector: str | None = None) -> ModelFacts:
    found = looked(hub, text, projector=projector)
    assert isinstance(found, ModelFacts), found
    return found


def code(hub: Hub, text: str, token: str | None = None, projector: str | None = None) -> str:
    found = looked(hub, text, token, projector)
    assert isinstance(found, Reason), found
    return found.code


def paths(found: ModelFacts) -> list[str]:
    return [file.path for file in found.files]


@pytest.mark.parametrize(
    ("tail", "file"),
    [
        ("", "Q4_K_M"),
        (":Q4_K_M", "Q4_K_M"),
        (":q8_0", "Q8_0"),
        (":F16", "f16"),
        ("@main:IQ2_M", "IQ2_M"),
        (f"@{REVISION}", "Q4_K_M"),
        (f"/{NAME}-Q2_K.gguf", "Q2_K"),
    ],
)
def test_the_wanted_file_and_its_projector(hub: Hub, tail: str, file: str) -> None:
    found = facts(hub, f"hf://{REPOSITORY}{tail}")
    assert paths(found) == [f"{NAME}-{file}.gguf", f"mmproj-{NAME}-f16.gguf"]
    assert [one.role for one in found.files] == [FileRole.WEIGHTS, FileRole.PROJECTOR]
    assert all(one.digest and one.digest.startswith("sha256:") and one.size for one in found.files)
    assert found.origin is not None
    assert (found.origin.repository, found.origin.revision) == (REPOSITORY, REVISION)
    assert "vision" in found.capabilities
    assert found.license == "apache-2.0"
    assert unsafe_name(found) is None


def test_only_headers_travel(hub: Hub) -> None:
    hub.files[f"{NAME}-Q4_K_M.gguf"] += bytes(8 << 20)
    # The file is longer than its tensors: the header still tells all, and the rest stays where it is.
    looked(hub, f"hf://{REPOSITORY}:Q4_K_M")
    assert sum(hub.sent.values()) <= 3 << 20
    assert hub.leaked == 0


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(hub: Hub) -> None:
    found = looked(hub, f"hf://{REPOSITORY}", TOKEN)
    assert isinstance(found, ModelFacts)
    assert hub.leaked == 0


def test_another_projector(hub: Hub) -> None:
    other = f"mmproj-{NAME}-f32.gguf"
    assert paths(facts(hub, f"hf://{REPOSITORY}", other))[1] == other
    alone = facts(hub, f"hf://{REPOSITORY}", "none")
    assert len(alone.files) == 1
    assert "vision" not in alone.capabilities
    assert code(hub, f"hf://{REPOSITORY}", projector="absent.gguf") == "projector_not_found"


def test_a_vision_model_without_a_fitting_projector_is_refused(hub: Hub, tmp_path: Path) -> None:
    for tag in ("f16", "f32"):
        del hub.files[f"mmproj-{NAME}-{tag}.gguf"]
    assert code(hub, f"hf://{REPOSITORY}") == "projector_missing"


def test_parts_in_a_folder_are_one_model(hub: Hub, tmp_path: Path) -> None:
    model = write_model(tmp_path / "part.gguf", architecture="llama").read_bytes()
    hub.files = {f"Q4_K_M/big-Q4_K_M-{number:05}-of-00002.gguf": model for number in (1, 2)}
    assert paths(facts(hub, f"hf://{REPOSITORY}")) == list(hub.files)
    hub.files.popitem()
    assert code(hub, f"hf://{REPOSITORY}") == "split_incomplete"


def test_what_is_not_there(hub: Hub) -> None:
    assert code(hub, "hf://bartowski/Absent-GGUF", TOKEN) == "repository_not_found"
    assert code(hub, f"hf://{REPOSITORY}@v9") == "revision_not_found"
    assert code(hub, f"hf://{REPOSITORY}:Q3_K_S") == "quantization_not_found"
    assert code(hub, f"hf://{REPOSITORY}/absent.gguf") == "hub_file_not_found"
    hub.files = {"model.safetensors": b"x"}
    assert code(hub, f"hf://{REPOSITORY}") == "repository_no_model"


def test_who_may_not_read(hub: Hub) -> None:
    hub.gated = True
    assert code(hub, f"hf://{REPOSITORY}") == "repository_needs_token"
    assert isinstance(looked(hub, f"hf://{REPOSITORY}", TOKEN), ModelFacts)
    assert code(hub, f"hf://{REPOSITORY}", "hf_wrong") == "token_invalid"
    hub.gated, hub.private = False, True
    assert code(hub, f"hf://{REPOSITORY}") == "repository_not_found"


@pytest.mark.parametrize(
    ("status", "wanted"), [(429, "hub_rate_limited"), (403, "repository_needs_token"), (400, "hub_unreachable")]
)
def test_a_hub_that_refuses(hub: Hub, status: int, wanted: str) -> None:
    hub.faults = [Fault("status", status=status, retry_after="7")] * 9
    assert code(hub, f"hf://{REPOSITORY}") == wanted


@pytest.mark.parametrize("kind", ["no range", "wrong range", "page", "cut", "too short", "loop"])
def test_a_hub_that_answers_wrongly_is_not_believed(hub: Hub, kind: str) -> None:
    # Small files are asked for whole, so a part matters only in long ones.
    hub.files = {name: content + bytes(2 << 20) for name, content in hub.files.items() if name.endswith(".gguf")}
    hub.faults = [Fault(kind, at=10)] * 20
    assert code(hub, f"hf://{REPOSITORY}") == "hub_unreachable"


def test_a_hub_that_is_not_there_and_a_server_that_may_not_ask() -> None:
    source = parse_source(f"hf://{REPOSITORY}")
    nowhere = HubAccess.model_validate({"endpoints": {"hf": "http://127.0.0.1:9"}})
    refused = resolve(source, Asking(nowhere))
    assert isinstance(refused, Reason)
    assert refused.code == "hub_unreachable"
    offline = resolve(source, Asking(HubAccess(offline=True)))
    assert isinstance(offline, Reason)
    assert offline.code == "hub_offline"
