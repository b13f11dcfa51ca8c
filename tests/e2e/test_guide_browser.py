"""The guide's walk-through as one story, in the words of each language: five models on one declared H100, deployed as
the guide types them. Four run together; the fifth says what would make room, and starts by itself once there is some.

The card, the engines and the weights are pretended; hub, headers, plans and everything between are real. (The guide's
GGUF model on a real engine: test_hub_browser.py; the others on a real vLLM: tests/real_engines.)"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.e2e.person import ask, drawing, upload, visit
from tests.e2e.pretended import pretended_llama_server, pretended_vllm, stored_weights
from tests.e2e.product import Product

from aimindserve.sim import hub_data
from aimindserve.sim.fleet import fleet_path
from aimindserve.sim.hub_server import FakeHub

pytestmark = pytest.mark.browser

OLD_VLLM, NEW_VLLM = "0.10.2", "0.33.0"


@dataclass(frozen=True)
class Step:
    """One deployment of the guide. ``version``: of vLLM, the one that the product must choose."""

    repository: str
    parameters: tuple[str, ...] = ()
    version: str = NEW_VLLM

    @property
    def name(self) -> str:
        return self.repository.partition("/")[2]


GGUF = "bartowski/Qwen2-VL-2B-Instruct-GGUF"
STEPS = (
    Step(
        "meta-llama/Llama-3.2-11B-Vision-Instruct",
        ("--enforce-eager", "--max-num-seqs=16", "--max-model-len=8192"),
        OLD_VLLM,
    ),
    Step("Qwen/Qwen2-VL-7B-Instruct"),
    Step("microsoft/Phi-3.5-vision-instruct", ("--trust-remote-code",)),
    Step("mistralai/Pixtral-12B-2409", ("--tokenizer-mode=mistral", "--limit-mm-per-prompt=image=4")),
)
FIRST, WITH_CODE = STEPS[0], STEPS[2]
# Beside the others there is no room for it on this card.
LAST = STEPS[-1]
# What the guide asks for: five times the page, the button, the source, the model, Save; the box GGUF and the list of
# quantizations; once for each parameter and three times for Advanced.
TYPED_CLICKS = 3 + sum(len(step.parameters) for step in STEPS)
GUIDE_CLICKS = 5 * 5 + 3 + TYPED_CLICKS


@dataclass(frozen=True)
class Words:
    """What the guide calls things."""

    locale: str
    models: str
    deploy: str
    save: str
    advanced: str
    add: str
    looked: str
    allow: str
    playground: str
    model: str
    upload: str
    question: str
    submit: str
    stop: str


ENGLISH = Words(
    locale="en-US",
    models="Models",
    deploy="Deploy Model",
    save="Save",
    advanced="Advanced",
    add="Add Parameter",
    looked="I have looked at these files",
    allow="Allow this code",
    playground="Playground",
    model="Model",
    upload="Upload Image",
    question="Describe this image.",
    submit="Submit",
    stop="Stop",
)
CHINESE = Words(
    locale="zh-CN",
    models="模型",
    deploy="部署模型",
    save="保存",
    advanced="高级",
    add="添加参数",
    looked="我已查看这些文件",
    allow="允许运行此代码",
    playground="试验场",
    model="模型",
    upload="上传图片",
    question="描述这张图片",
    submit="提交",
    stop="停止",
)


@contextmanager
def machine(folder: Path) -> Iterator[Product]:
    """The guide's machine: one H100, a token, two versions of vLLM, a llama-server; nothing deployed."""
    data = folder / "data"
    catalogue = hub_data.load()
    stored_weights(data, catalogue)
    for version in (OLD_VLLM, NEW_VLLM):
        pretended_vllm(data, version)
    llama = str(pretended_llama_server(folder / "programs"))
    with FakeHub(catalogue) as hub:
        product = Product(
            data,
            "--huggingface-endpoint", hub.endpoint, "--huggingface-token", hub_data.GRANTED,
            "--declared-fleet", str(fleet_path("h100")), "--llama-server", llama,
        )  # fmt: skip
        product.start()
        yield product
        product.clear()
        product.stop()


class Guide:
    """A reader of the guide, who counts clicks. Filling in a field is no click."""

    def __init__(self, page: Page, words: Words) -> None:
        self.page = page
        self.words = words
        self.clicks = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def open_form(self) -> Locator:
        self.click(self.page.get_by_role("link", name=self.words.models, exact=True))
        self.click(self.page.get_by_role("button", name=self.words.deploy))
        self.click(self.page.get_by_role("menuitem", name="Hugging Face"))
        return self.page.get_by_role("dialog")

    def deploy_gguf(self) -> None:
        form = self.open_form()
        self.click(form.get_by_role("checkbox", name="GGUF"))
        form.get_by_role("searchbox").fill(GGUF)
        self.click(form.get_by_role("radio", name="Q4_K_M", exact=True))
        self.save(form)

    def deploy(self, step: Step, *, typed: bool) -> None:
        form = self.open_form()
        form.get_by_role("searchbox").fill(step.repository)
        if step is WITH_CODE:
            self.click(form.get_by_role("checkbox", name=self.words.looked))
            self.click(form.get_by_role("button", name=self.words.allow))
        if typed and step.parameters:
            self.click(form.get_by_role("button", name=self.words.advanced))
            for parameter in step.parameters:
                self.click(form.get_by_role("button", name=self.words.add))
                form.get_by_placeholder("--flag=value").last.fill(parameter)
        expect(form.locator("[data-checking=false] [data-verdict]")).to_have_attribute(
            "data-verdict", "waits" if step is LAST else "fits"
        )
        if step is LAST:
            expect(form.locator("[data-alternative]").first).to_be_visible()
        self.save(form)

    def stop(self, name: str) -> None:
        self.click(self.card(name).get_by_role("button", name=self.words.stop))

    def save(self, form: Locator) -> None:
        self.click(form.get_by_role("button", name=self.words.save))
        expect(form).to_have_count(0)

    def card(self, name: str) -> Locator:
        return self.page.get_by_role("article", name=name, exact=True)

    def expect_phase(self, name: str, phase: str) -> None:
        expect(self.card(name).locator("[data-phase]").first).to_have_attribute("data-phase", phase)

    def ask_about_a_picture(self, name: str) -> str:
        self.click(self.page.get_by_role("link", name=self.words.playground, exact=True))
        self.click(self.page.get_by_role("combobox", name=self.words.model))
        self.click(self.page.locator(f"[role=option][value='{name}']"))
        expect(self.page.get_by_role("button", name=self.words.upload)).to_be_visible()
        upload(self.page, drawing("#dc1e1e"))
        return ask(self.page, self.words.question, submit=self.words.submit)


def program_of(product: Product, name: str) -> str:
    """The command line of the engine that runs for a deployment."""
    (replica,) = product.cli("show", name)["replicas"]
    return " ".join(psutil.Process(replica["pid"]).cmdline())


@pytest.mark.parametrize(
    ("words", "typed", "clicks"),
    [(CHINESE, True, GUIDE_CLICKS), (ENGLISH, True, GUIDE_CLICKS), (ENGLISH, False, GUIDE_CLICKS - TYPED_CLICKS)],
    ids=["zh", "en", "nothing typed"],
)
def test_the_guide(browser: Browser, tmp_path: Path, words: Words, *, typed: bool, clicks: int) -> None:
    with machine(tmp_path) as product:
        for page in visit(browser, product, locale=words.locale, dark=words is CHINESE):
            guide = Guide(page, words)
            guide.deploy_gguf()
            for step in STEPS:
                guide.deploy(step, typed=typed)
            assert guide.clicks <= clicks
            for step in STEPS:
                guide.expect_phase(step.name, "pending" if step is LAST else "ready")
            guide.stop(FIRST.name)
            guide.expect_phase(LAST.name, "ready")
            for step in STEPS[1:]:
                program = program_of(product, step.name)
                assert f"/vllm/{step.version}/bin/vllm" in program
                assert guide.ask_about_a_picture(step.name)
