"""Hubs as the product asks them, against the emulator that speaks their protocols: both hubs, true headers."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimindserve.domain.facts import FileRole, Hub, ModelFacts, ModelPart
from aimindserve.domain.files import HubAccess, unsafe_name
from aimindserve.domain.hubs import HubAccount, HubListing, HubPage, HubQuery, Readme
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.domain.source import parse_source
from aimindserve.sim.hub_data import GRANTED, NO_SCOPE, NOT_LISTED, load
from aimindserve.sim.hub_faults import Fault
from aimindserve.sim.hub_files import Held, hub_file
from aimindserve.sim.hub_repositories import Repository
from aimindserve.sim.hub_server import FakeHub
from aimindserve.sources import Asking, look, readme, resolve, search, whoami

GUIDE = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
LLAMA = "meta-llama/Llama-3.2-11B-Vision-Instruct"
MIB = 1 << 20
HUBS: tuple[Hub, ...] = ("hf", "ms")


def made(name: str, files: dict[str, bytes], task: str | None = None) -> Repository:
    repository = Repository(name, about={"pipeline_tag": task, "tags": ["gguf"], "downloads": 1})
    repository.commit([hub_file(path, Held(content)) for path, content in files.items()])
    return repository


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    catalogue = load(true_size=True)
    catalogue.add(made("maker/pickles", {"config.json": b"{}", "pytorch_model.bin": b"x"}))
    catalogue.add(made("maker/nothing", {"README.md": b"---\nlicense: mit\n---\n# Hello"}))
    catalogue.add(made("maker/broken-GGUF", {"m-Q4_K_M.gguf": b"GGUF" + bytes(60)}))
    catalogue.add(made("maker/broken", {"config.json": b"{}", "model.safetensors": b"x"}))
    with FakeHub(catalogue) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(hub: FakeHub) -> None:
    hub.faults.clear()
    hub.log.clear()


def access(hub: FakeHub, token: str | None = GRANTED, *, offline: bool = False) -> HubAccess:
    tokens: dict[Hub, str] = {"hf": token, "ms": token} if token else {}
    return HubAccess(endpoints={"hf": hub.endpoint, "ms": hub.modelscope_endpoint}, tokens=tokens, offline=offline)


def listing(hub: FakeHub, text: str, token: str | None = GRANTED) -> HubListing:
    found = look(parse_source(text), access(hub, token))
    assert isinstance(found, HubListing), found
    return found


def facts(hub: FakeHub, text: str, projector: str | None = None) -> ModelFacts:
    found = resolve(parse_source(text), Asking(access(hub), projector))
    assert isinstance(found, ModelFacts), found
    return found


@pytest.mark.parametrize(
    ("repository", "parameters", "size"),
    [
        ("mistralai/Pixtral-12B-2409", 12_682_739_712, 25_365_479_424),
        ("Qwen/Qwen2-VL-7B-Instruct", 8_291_375_616, 16_582_751_232),
        (LLAMA, 10_670_220_835, 21_340_441_670),
        ("microsoft/Phi-3.5-vision-instruct", 4_146_621_440, 8_293_242_880),
    ],
)
def test_the_guides_models_from_their_headers(hub: FakeHub, repository: str, parameters: int, size: int) -> None:
    """Numbers as published; found cold within 20 MiB."""
    found = facts(hub, f"hf://{repository}")
    assert sum(asked.sent for asked in hub.log.requests) < 20 * MIB
    assert (found.parameters, found.weight_bytes) == (parameters, size)
    assert sum(group.bytes for group in found.weights) == size
    assert found.sees_images
    assert found.origin is not None
    assert len(found.origin.revision) == 40
    assert unsafe_name(found) is None
    assert all(file.digest for file in found.files)
    assert {ModelPart.LAYERS, ModelPart.VISION} <= {group.part for group in found.weights}


def test_only_what_the_engine_loads(hub: FakeHub) -> None:
    pixtral = facts(hub, "hf://mistralai/Pixtral-12B-2409")
    assert (pixtral.config_format, pixtral.architecture) == ("mistral", "PixtralForConditionalGeneration")
    llama = facts(hub, f"hf://{LLAMA}")
    assert not [file.path for file in llama.files if "/" in file.path or "consolidated" in file.path]
    phi = facts(hub, "hf://microsoft/Phi-3.5-vision-instruct")
    assert "modeling_phi3_v.py" in phi.code_files
    assert set(phi.code_files) <= {file.path for file in phi.files_of(FileRole.CONFIG)}


@pytest.mark.parametrize("kind", HUBS)
def test_a_listing_of_quantizations(hub: FakeHub, kind: Hub) -> None:
    found = listing(hub, f"{kind}://{GUIDE}")
    chosen = [choice for choice in found.choices if choice.default]
    assert [choice.quantization for choice in chosen] == ["Q4_K_M"]
    assert chosen[0].projector == "mmproj-Qwen2-VL-2B-Instruct-f16.gguf"
    assert chosen[0].projectors == ("mmproj-Qwen2-VL-2B-Instruct-f16.gguf", "mmproj-Qwen2-VL-2B-Instruct-f32.gguf")
    assert {choice.quantization for choice in found.choices if choice.refused} == {"Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8"}
    assert sum(asked.sent for asked in hub.log.requests) < 20 * MIB
    assert found.problem is None
    assert found.notes == ()


@pytest.mark.parametrize("kind", HUBS)
def test_a_choice_resolves_to_the_files_that_the_listing_shows(hub: FakeHub, kind: Hub) -> None:
    """Facts that a listing works out from sizes come close to those read from the header itself."""
    for choice in listing(hub, f"{kind}://{GUIDE}").choices:
        if choice.refused or choice.quantization not in {"Q4_K_M", "Q8_0", "IQ2_M"}:
            continue
        exact = facts(hub, choice.source)
        assert tuple(file.path for file in exact.files) == choice.files
        assert sum(file.size for file in exact.files) == choice.size
        assert choice.facts is not None
        assert abs(choice.facts.weight_bytes - exact.weight_bytes) < 0.002 * exact.weight_bytes + 64 * 1024
        assert (choice.facts.caches, choice.facts.parameters) == (exact.caches, exact.parameters)


def test_text_only_and_another_projector(hub: FakeHub) -> None:
    alone = facts(hub, f"hf://{GUIDE}:Q8_0", "none")
    assert not alone.sees_images
    assert len(alone.files) == 1
    other = facts(hub, f"hf://{GUIDE}:Q8_0", "mmproj-Qwen2-VL-2B-Instruct-f32.gguf")
    assert other.files_of(FileRole.PROJECTOR)[0].path == "mmproj-Qwen2-VL-2B-Instruct-f32.gguf"


@pytest.mark.parametrize("kind", HUBS)
def test_search(hub: FakeHub, kind: Hub) -> None:
    found = search(HubQuery(hub=kind, text="qwen2-vl", gguf=True), access(hub, None))
    assert isinstance(found, HubPage)
    item = next(item for item in found.items if item.repository == GUIDE)
    assert (item.gguf, item.engines, item.license) == (True, ("llama.cpp",), "apache-2.0")
    assert {"chat", "vision"} <= set(item.capabilities)
    assert item.updated_at is not None


@pytest.mark.parametrize("kind", HUBS)
def test_pages_of_a_search_hold_everything_once(hub: FakeHub, kind: Hub) -> None:
    everything = search(HubQuery(hub=kind, limit=100), access(hub, None))
    assert isinstance(everything, HubPage)
    assert len(everything.items) > 3
    collected: list[str] = []
    cursor: str | None = None
    for _ in everything.items:
        page = search(HubQuery(hub=kind, limit=2, cursor=cursor), access(hub, None))
        assert isinstance(page, HubPage)
        collected += [item.repository for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert collected == [item.repository for item in everything.items]


@pytest.mark.parametrize("kind", HUBS)
def test_readme(hub: FakeHub, kind: Hub) -> None:
    found = readme(parse_source(f"{kind}://{GUIDE}"), access(hub))
    assert isinstance(found, Readme)
    assert "Q4_K_M" in found.text
    assert not found.text.startswith("---")


def test_a_readme_without_its_front_matter(hub: FakeHub) -> None:
    assert readme(parse_source("hf://maker/nothing"), access(hub)) == Readme("# Hello")
    assert readme(parse_source("hf://maker/pickles"), access(hub)) == Readme("")


@pytest.mark.parametrize("kind", HUBS)
def test_whose_token_it_is(hub: FakeHub, kind: Hub) -> None:
    known, nobody = whoami(kind, access(hub)), whoami(kind, access(hub, None))
    assert isinstance(known, HubAccount)
    assert isinstance(nobody, HubAccount)
    assert (known.account, nobody.account) == ("granted", None)
    wrong = whoami(kind, access(hub, "hf_wrong"))
    assert isinstance(wrong, Reason)
    assert wrong.code is ReasonCode.TOKEN_INVALID


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, ReasonCode.REPOSITORY_NEEDS_TOKEN),
        (NOT_LISTED, ReasonCode.REPOSITORY_GATED),
        (NO_SCOPE, ReasonCode.TOKEN_SCOPE),
        ("hf_wrong", ReasonCode.TOKEN_INVALID),
    ],
)
def test_gated_repositories(hub: FakeHub, token: str | None, code: ReasonCode) -> None:
    refused = resolve(parse_source(f"hf://{LLAMA}"), Asking(access(hub, token)))
    assert isinstance(refused, Reason)
    assert refused.code is code
    if code in {ReasonCode.REPOSITORY_NEEDS_TOKEN, ReasonCode.REPOSITORY_GATED}:
        assert refused.params["page"] == f"{hub.endpoint}/{LLAMA}"
        shown = listing(hub, f"hf://{LLAMA}", token)
        assert shown.problem == refused
        assert shown.gated
    assert token is None or token not in str(refused)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hf://maker/pickles", ReasonCode.PICKLE_ONLY),
        ("hf://maker/nothing", ReasonCode.REPOSITORY_NO_MODEL),
        ("hf://maker/absent", ReasonCode.REPOSITORY_NOT_FOUND),
        ("ms://maker/absent", ReasonCode.REPOSITORY_NOT_FOUND),
        (f"hf://{GUIDE}@v9", ReasonCode.REVISION_NOT_FOUND),
        (f"ms://{GUIDE}@v9", ReasonCode.REVISION_NOT_FOUND),
        (f"hf://{GUIDE}:Q1_0", ReasonCode.QUANTIZATION_NOT_FOUND),
        (f"hf://{GUIDE}/absent.gguf", ReasonCode.HUB_FILE_NOT_FOUND),
        (f"hf://{GUIDE}/mmproj-Qwen2-VL-2B-Instruct-f16.gguf", ReasonCode.GGUF_IS_PROJECTOR),
        (f"hf://{GUIDE}:Q4_0_4_4", ReasonCode.GGUF_OBSOLETE),
        ("hf://maker/broken-GGUF", ReasonCode.GGUF_UNSUPPORTED),
        ("hf://maker/broken", ReasonCode.CONFIG_INVALID),
    ],
)
def test_what_cannot_be_deployed(hub: FakeHub, text: str, code: ReasonCode) -> None:
    refused = resolve(parse_source(text), Asking(access(hub)))
    assert isinstance(refused, Reason)
    assert refused.code is code
    if code is ReasonCode.QUANTIZATION_NOT_FOUND:
        assert "Q4_K_M" in str(refused.params["available"])


@pytest.mark.parametrize("name", ["maker/pickles", "maker/nothing", "maker/broken"])
def test_a_listing_tells_why_a_whole_repository_is_of_no_use(hub: FakeHub, name: str) -> None:
    found = listing(hub, f"hf://{name}")
    assert found.problem is not None
    assert found.choices == ()


FAULTS = [
    (Fault("status", status=429, retry_after=7), ReasonCode.HUB_RATE_LIMITED),
    (Fault("status", status=503), ReasonCode.HUB_UNREACHABLE),
    (Fault("reset"), ReasonCode.HUB_UNREACHABLE),
    (Fault("html"), ReasonCode.HUB_UNREACHABLE),
    (Fault("cut", path="*.gguf", at=1000), ReasonCode.HUB_UNREACHABLE),
    (Fault("no-range", path="*.gguf"), ReasonCode.HUB_UNREACHABLE),
    (Fault("wrong-content-range", path="*.gguf"), ReasonCode.HUB_UNREACHABLE),
    (Fault("redirect-loop", path="*.gguf"), ReasonCode.HUB_UNREACHABLE),
    (Fault("redirect-refused", path="*.gguf"), ReasonCode.HUB_UNREACHABLE),
]


@pytest.mark.parametrize("kind", HUBS)
@pytest.mark.parametrize(("fault", "code"), FAULTS, ids=[f"{fault.kind}-{fault.status}" for fault, _ in FAULTS])
def test_a_hub_that_fails_is_answered_at_once(hub: FakeHub, kind: Hub, fault: Fault, code: ReasonCode) -> None:
    hub.faults.add(fault)
    started = time.monotonic()
    refused = resolve(parse_source(f"{kind}://{GUIDE}:Q4_K_M"), Asking(access(hub)))
    # Without a try more than is needed; the bound is for busy machines.
    assert time.monotonic() - started < 30
    assert isinstance(refused, Reason), refused
    assert refused.code is code
    if code is ReasonCode.HUB_RATE_LIMITED:
        assert refused.params["seconds"] == 7


def test_offline_asks_nothing(hub: FakeHub) -> None:
    quiet = access(hub, offline=True)
    answers = [
        resolve(parse_source(f"hf://{GUIDE}"), Asking(quiet)),
        search(HubQuery(), quiet),
        look(parse_source(f"ms://{GUIDE}"), quiet),
        readme(parse_source(f"hf://{GUIDE}"), quiet),
        whoami("ms", quiet),
    ]
    assert all(isinstance(answer, Reason) and answer.code is ReasonCode.HUB_OFFLINE for answer in answers)
    assert hub.log.requests == []


def test_nothing_is_written_to_a_cache(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    listing(hub, f"hf://{GUIDE}")
    assert list(os.scandir(tmp_path)) == []
