"""Each fault of the emulated hub does what its name says, and a real client meets it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import huggingface_hub
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import parse_ratelimit_headers
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.sim.hub_faults import Fault, FaultError, Faults, Kind, read_fault
from aimindserve.sim.hub_files import Held, Virtual, hub_file
from aimindserve.sim.hub_repositories import Catalogue, Repository
from aimindserve.sim.hub_server import FakeHub
from aimindserve.sim.hub_transfer import plan

DATA = bytes(range(256)) * 4096
NAME = "maker/model"
KEY = f"{NAME}/model.gguf"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeHub]:
    repository = Repository(NAME)
    repository.commit([hub_file("model.gguf", Held(DATA)), hub_file("config.json", Held(b"{}"))])
    with FakeHub(Catalogue([repository])) as hub:
        yield hub


@pytest.fixture
def hub(running: FakeHub) -> FakeHub:
    running.faults.clear()
    running.log.clear()
    return running


def get(hub: FakeHub, **headers: str) -> httpx.Response:
    with httpx.Client(follow_redirects=True, timeout=20) as client:
        return client.get(f"{hub.endpoint}/{NAME}/resolve/main/model.gguf", headers=headers)


def collect(answer: httpx.Response, into: bytearray) -> None:
    for piece in answer.iter_raw():
        into.extend(piece)


def test_too_many_requests(hub: FakeHub) -> None:
    hub.faults.add(Fault("status", path="/api/models/*", status=429, retry_after=7, times=1))
    with pytest.raises(HfHubHTTPError) as caught:
        HfApi(endpoint=hub.endpoint, token=False).model_info(NAME)
    told = caught.value.response.headers
    limits = parse_ratelimit_headers(told)
    assert limits is not None
    assert (told["Retry-After"], limits.remaining, limits.reset_in_seconds) == ("7", 0, 7)
    assert HfApi(endpoint=hub.endpoint, token=False).model_info(NAME).sha


@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_broken_connections_are_taken_up_again_by_the_real_client(hub: FakeHub, tmp_path: Path, kind: Kind) -> None:
    at = 300_000
    hub.faults.add(Fault(kind, path="*.gguf", side="cdn", method="GET", at=at, times=1))
    if kind == "reset":
        with pytest.raises(httpx.TransportError):
            get(hub)
    path = huggingface_hub.hf_hub_download(NAME, "model.gguf", endpoint=hub.endpoint, cache_dir=tmp_path, token=False)
    assert Path(path).read_bytes() == DATA
    # The library throws the begun 10 MB of a broken answer away, so these bytes went out twice.
    assert hub.sent[KEY] == len(DATA) + at


def test_lengths(hub: FakeHub) -> None:
    hub.faults.add(*(Fault(kind, side="cdn", by=10, times=1) for kind in ("short-length", "long-length", "no-length")))
    assert get(hub).content == DATA[:-10]
    assert get(hub).content == DATA + bytes(10)
    endless = get(hub)
    assert endless.content == DATA
    assert "content-length" not in endless.headers
    assert get(hub).content == DATA


def test_ranges(hub: FakeHub) -> None:
    hub.faults.add(Fault("no-range", side="cdn", times=1), Fault("wrong-content-range", side="cdn", by=16, times=1))
    assert (get(hub, Range="bytes=100-199").status_code, len(DATA)) == (200, hub.sent[KEY])
    other = get(hub, Range="bytes=100-199")
    assert (other.headers["Content-Range"], other.content) == (f"bytes 116-215/{len(DATA)}", DATA[116:216])


def test_wrong_bytes(hub: FakeHub) -> None:
    hub.faults.add(Fault("wrong-bytes", side="cdn", at=5000, times=1))
    assert [place for place, byte in enumerate(get(hub).content) if byte != DATA[place]] == [5000]


def test_redirects_pages_and_etags(hub: FakeHub) -> None:
    hub.faults.add(Fault("redirect-loop", times=30, side="hub"))
    with pytest.raises(httpx.TooManyRedirects):
        get(hub)
    hub.faults.clear()
    hub.faults.add(Fault("redirect-refused", times=1), Fault("html", times=1), Fault("expired", side="cdn", times=1))
    with pytest.raises(httpx.ConnectError):
        get(hub)
    assert get(hub).headers["content-type"].startswith("text/html")
    assert get(hub).status_code == 403
    hub.faults.add(Fault("etag", side="hub"))
    url = f"{hub.endpoint}/{NAME}/resolve/main/model.gguf"
    assert len({httpx.head(url).headers["X-Linked-ETag"] for _ in range(3)}) == 3


def test_a_stall_sends_what_it_was_told_and_no_more(hub: FakeHub) -> None:
    hub.faults.add(Fault("stall", side="cdn", at=1000))
    got = bytearray()
    with (
        httpx.Client(follow_redirects=True, timeout=httpx.Timeout(20, read=0.5)) as client,
        client.stream("GET", f"{hub.endpoint}/{NAME}/resolve/main/model.gguf") as answer,
        pytest.raises(httpx.ReadTimeout),
    ):
        collect(answer, got)
    assert got == DATA[:1000]


def test_slowness_takes_its_time(hub: FakeHub) -> None:
    hub.faults.add(Fault("slow", side="cdn", rate=40_000))
    start = time.monotonic()
    assert get(hub, Range="bytes=0-19999").content == DATA[:20_000]
    assert time.monotonic() - start > 0.4


def test_faults_of_the_hub_itself_may_end_without_an_answer(hub: FakeHub) -> None:
    hub.faults.add(Fault("reset", path="/api/*", times=1))
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{hub.endpoint}/api/models")
    assert httpx.get(f"{hub.endpoint}/api/models").status_code == 200


def test_faults_are_counted() -> None:
    faults = Faults()
    faults.add(Fault("html", path="*.gguf", skip=1, times=2, side="cdn", method="GET"))
    took = [faults.take("cdn", "GET", ["a.gguf"]) is not None for _ in range(5)]
    assert took == [False, True, True, False, False]
    assert faults.take("hub", "GET", ["a.gguf"]) is None


def test_faults_from_words() -> None:
    assert read_fault("cut path=*.gguf at=1000 times=2") == Fault("cut", path="*.gguf", at=1000, times=2)
    for wrong in ("nonsense", "cut nowhere=1", "cut at=far"):
        with pytest.raises(FaultError):
            read_fault(wrong)


@given(size=st.integers(1, 10_000), first=st.integers(0, 11_000), length=st.integers(1, 11_000))
def test_any_range_is_the_part_of_the_file(size: int, first: int, length: int) -> None:
    content = Virtual(size, lambda: b"head")
    told = plan(content, {}, f"bytes={first}-{first + length - 1}", None)
    read: Callable[[int, int], bytes] = content.read
    whole = read(0, size)
    assert told.status == (206 if first < size else 416)
    assert read(told.start, told.stop - told.start) == (whole[first : first + length] if first < size else b"")
