"""Write ``docs/{en,zh}/what-fits.md``: every declared fleet and what of the catalog fits on it.

``--check`` only says whether the pages are up to date (exit code 1: they are not). Nothing is measured here: the
pages show what the product decides, so that a change of its estimates shows in review.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aimindserve.domain.catalog import CatalogFamily, variant_id
from aimindserve.domain.nodes import DeviceKind, NodeFacts
from aimindserve.domain.placement import Level
from aimindserve.domain.reason_texts import explain
from aimindserve.domain.reasons import Language, Reason, ReasonCode
from aimindserve.domain.units import format_bytes
from aimindserve.engines._registry import with_assumed_engines
from aimindserve.server.features.catalog.service import Entry, best_of, marked_families, sight_of
from aimindserve.server.fit_trials import Stage
from aimindserve.server.fitting import Mark
from aimindserve.server.reconcile.place_search import Placed, search
from aimindserve.server.reconcile.planning import RunPlan
from aimindserve.sim.fleet import fleet_names, load_fleet

ROOT = Path(__file__).resolve().parent.parent
_LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Row:
    """A family on a fleet: the chosen variant with its place, or why there is none."""

    family: CatalogFamily
    entry: Entry
    result: Placed | Reason
    card: str = ""


@dataclass(frozen=True)
class Section:
    """A fleet. ``devices``: what its machines have, one text each."""

    name: str
    title: str
    devices: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def placed(self) -> int:
        """Families of which something fits."""
        return sum(isinstance(row.result, Placed) for row in self.rows)


def section(name: str) -> Section:
    """What fits on one fleet, every engine that the product can install taken as installed."""
    fleet = load_fleet(name)
    nodes = tuple(with_assumed_engines(node.model_copy(update={"engines": ()})) for node in fleet.nodes)
    stage = Stage(nodes)
    rows = tuple(_row(family, marked, stage) for family, marked in marked_families(sight_of(stage)))
    return Section(name, fleet.title, _machines(nodes), rows)


def _row(family: CatalogFamily, marked: Sequence[tuple[Entry, Mark]], stage: Stage) -> Row:
    index = best_of(marked, "en").index or 0
    entry = marked[index][0]
    result = search(entry.spec, entry.facts, stage.seen, None, demands=entry.demands)
    return Row(family, entry, result, _card_of(result, stage))


def _card_of(result: Placed | Reason, stage: Stage) -> str:
    if isinstance(result, Reason):
        return ""
    first = result.assignment.claims[0]
    devices = next(node.devices for node in stage.nodes if node.node_id == result.assignment.node_id)
    return next(device.name for device in devices if device.id == first.device_id)


def _machines(nodes: Sequence[NodeFacts]) -> tuple[str, ...]:
    """One text for alike machines."""
    counted = Counter(map(_devices, nodes))
    return tuple(text if count == 1 else f"{count} × ({text})" for text, count in counted.items())


def _devices(node: NodeFacts) -> str:
    counted: dict[tuple[str, int], int] = {}
    for device in node.devices:
        if device.kind is not DeviceKind.CPU:
            key = (device.name, device.memory_total)
            counted[key] = counted.get(key, 0) + 1
    host = next(device for device in node.devices if device.kind is DeviceKind.CPU)
    cards = [f"{count} × {name} ({format_bytes(size)})" for (name, size), count in counted.items()]
    return " + ".join([*cards, f"RAM {format_bytes(host.memory_total)}"])


_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "What fits where",
        "intro": "Thirty declared machines and every family of the catalog: the variant that the product would deploy "
        "with nothing set, or why none. `make gen` writes this page from the product's own decisions; a test compares "
        "it. Memory is what is claimed on each card; context is for one request.\n\n"
        "The machines are files in `src/aimindserve/sim/fleets`. The same for a machine of your own: "
        "`aimindserve fit SOURCE --gpu RTX4090-24GB:2`.",
        "index": "| machines | what they are | devices | families that fit |\n|---|---|---|---|",
        "heading": "| family | variant | engine | where | memory | context |\n|---|---|---|---|---|---|",
        "cpu": "CPU",
        "partly": "{card}, partly; rest on the CPU",
        "needs": "needs {needed}, has {largest}",
        "busy": "needs {needed}, {free} free",
        "old": "needs compute capability {needed}, has {found}",
        "nothing": "needs a GPU",
        "host": "needs {needed} of RAM, {free} free",
        "few": "needs {needed} GPUs",
        "of": "{count} of {all}",
    },
    "zh": {
        "title": "哪些模型可以在哪里运行",
        "intro": "三十种声明的机器与模型库的全部系列：不做任何设置时产品会部署的规格，或无法部署的原因。"
        "本页由 `make gen` 根据产品自身的决定生成，并由测试核对。内存为每张卡上占用的量；上下文为单个请求的长度。\n\n"
        "这些机器是 `src/aimindserve/sim/fleets` 中的文件。"
        "查看您自己的机器：`aimindserve fit SOURCE --gpu RTX4090-24GB:2`。",
        "index": "| 机器 | 设备 | 可运行的系列 |\n|---|---|---|",
        "heading": "| 系列 | 规格 | 引擎 | 位置 | 内存 | 上下文 |\n|---|---|---|---|---|---|",
        "cpu": "CPU",
        "partly": "{card}（部分），其余在 CPU",
        "needs": "需要 {needed}，只有 {largest}",
        "busy": "需要 {needed}，空闲 {free}",
        "old": "需要计算能力 {needed}，实际 {found}",
        "nothing": "需要 GPU",
        "host": "需要 {needed} 主机内存，空闲 {free}",
        "few": "需要 {needed} 个 GPU",
        "of": "{count} / {all}",
    },
}
_SHORT: dict[ReasonCode, str] = {
    ReasonCode.MEMORY_INSUFFICIENT: "needs",
    ReasonCode.MEMORY_CLAIMED: "busy",
    ReasonCode.MEMORY_IN_USE: "busy",
    ReasonCode.DEVICE_TOO_OLD: "old",
    ReasonCode.NO_USABLE_DEVICE: "nothing",
    ReasonCode.ENGINE_NOT_INSTALLED: "nothing",
    ReasonCode.HOST_MEMORY_INSUFFICIENT: "host",
    ReasonCode.GPUS_TOO_FEW: "few",
}


def page(sections: Sequence[Section], language: Language) -> str:
    """The whole page."""
    words = _WORDS[language]
    parts = [
        f"# {words['title']}",
        words["intro"],
        "\n".join([words["index"], *(_index(one, language) for one in sections)]),
    ]
    for one in sections:
        rows = "\n".join(_line(row, language) for row in sorted(one.rows, key=_order))
        parts.append(f"## {one.name}")
        parts.append("\n".join([*(f"- {text}" for text in one.devices)]))
        parts.append(f"{words['heading']}\n{rows}")
    return "\n\n".join(parts) + "\n"


def _order(row: Row) -> tuple[bool, str]:
    """What fits first."""
    return isinstance(row.result, Reason), row.family.name


def _index(one: Section, language: Language) -> str:
    count = _WORDS[language]["of"].format(count=one.placed, all=len(one.rows))
    link, devices = f"[{one.name}](#{one.name})", "<br>".join(one.devices)
    # Titles of fleets are English.
    cells = (link, one.title, devices, count) if language == "en" else (link, devices, count)
    return f"| {' | '.join(cells)} |"


def _line(row: Row, language: Language) -> str:
    name = variant_id(row.entry.model, row.entry.variant)
    if isinstance(row.result, Reason):
        return f"| {row.family.name} | {name} | {row.entry.variant.engine} | – {_why(row.result, language)} | | |"
    plan = row.result.plan
    version = f" {plan.install.version}" if plan.install and plan.install.version else ""
    memory = format_bytes(plan.demand.bytes)
    cells = (row.family.name, name, f"{plan.engine}{version}", _where(row, plan, language), memory, _context(plan))
    return f"| {' | '.join(cells)} |"


def _where(row: Row, plan: RunPlan, language: Language) -> str:
    words, level = _WORDS[language], plan.demand.level
    if level is Level.CPU:
        return words["cpu"]
    card = f"{plan.gpus} × {row.card}"
    return card if level is Level.WHOLE else words["partly"].format(card=card)


def _context(plan: RunPlan) -> str:
    """Tokens of one request."""
    given = plan.parameters.value("--max-model-len")
    if given is not None:
        return given
    whole, parallel = plan.parameters.value("--ctx-size"), plan.parameters.value("--parallel")
    return str(int(whole) // max(int(parallel or 1), 1)) if whole else ""


def _why(why: Reason, language: Language) -> str:
    short = _SHORT.get(why.code)
    if short is None:
        return explain(why, language).message
    return _WORDS[language][short].format_map(why.params)


def page_of(language: Language) -> Path:
    """The page in this language."""
    return ROOT / "docs" / language / "what-fits.md"


def stale_pages(made: Callable[[str], Section] = section) -> list[tuple[Path, str]]:
    """The pages that are not what they should be, each with what it should be."""
    sections = [made(name) for name in fleet_names()]
    fresh = [(page_of(language), page(sections, language)) for language in _LANGUAGES]
    return [(path, text) for path, text in fresh if not path.exists() or path.read_text(encoding="utf-8") != text]


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write the pages of what fits where.")
    parser.add_argument("--check", action="store_true")
    check: bool = parser.parse_args().check
    stale = stale_pages()
    for path, text in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is out of date: make gen")
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
