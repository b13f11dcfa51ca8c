"""Writes ``docs/en/benchmarks.md`` and ``docs/zh/benchmarks.md`` out of runs that were kept."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

from bench.gateway.measure import CONNECTIONS, Run, median, ratios
from bench.gateway.targets import KINDS, versions

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEMPLATES = Path(__file__).resolve().parent / "templates"
MB = 1024**2

NAMES = {
    "en": {"gateway": "aiMindServe, every feature on", "gateway-plain": "aiMindServe, keys and usage only"},
    "zh": {"gateway": "aiMindServe（全部功能开启）", "gateway-plain": "aiMindServe（仅密钥与用量统计）"},
}
HEADS = {
    "en": {
        "requests": ("", "µs a request, 64 connections", "µs a request, one connection"),
        "streams": ("", "64 streams", "256 streams", "1,000 streams"),
        "bodies": ("", "ms for each MB", "peak, MB"),
        "memory": ("", "idle, MB", "start to first connection, s"),
    },
    "zh": {
        "requests": ("", "微秒/请求，64 个连接", "微秒/请求，1 个连接"),
        "streams": ("", "64 路", "256 路", "1,000 路"),
        "bodies": ("", "毫秒/MB", "峰值，MB"),
        "memory": ("", "空闲，MB", "启动到可连接，秒"),
    },
}
CROWD = {
    "en": "With {count:,} idle connections {name} holds {peak:.0f} MB; a new request takes {p50:.2f} ms, "
    "{p99:.1f} ms at the 99th percentile.",
    "zh": "保持 {count:,} 个空闲连接时，{name} 占用 {peak:.0f} MB；"
    "新请求的延迟中位数为 {p50:.2f} 毫秒，99 分位为 {p99:.1f} 毫秒。",
}


def _of(runs: list[Run], case: str, target: str) -> list[Run]:
    return [run for run in runs if (run.case, run.target) == (case, target)]


def _cost(runs: list[Run], case: str, target: str, form: Callable[[float], str]) -> str:
    """``50 · 2.9 × (2.8 to 3.0)``, or a dash."""
    found = _of(runs, case, target)
    if not found:
        return "–"
    beside = ratios(runs, case, target, "nginx") if target != "nginx" else []
    text = form(median([run.us for run in found]))
    return f"{text} · **{median(beside):.3g} ×** ({min(beside):.3g}–{max(beside):.3g})" if beside else text


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---", *["--:"] * (len(head) - 1)), *rows]
    return "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines if "–" not in line[1:2]) + "\n"


def _page(runs: list[Run], language: str) -> str:
    targets = [name for name in KINDS if any(run.target == name for run in runs)]
    names, heads = NAMES[language], HEADS[language]

    def table(part: str, *cells: Callable[[str], str]) -> str:
        rows = [(names.get(target, target), *(cell(target) for cell in cells)) for target in targets]
        return _table(heads[part], rows)

    def cost(case: str, form: Callable[[float], str] = "{:,.0f}".format) -> Callable[[str], str]:
        return lambda target: _cost(runs, case, target, form)

    def most(case: str) -> Callable[[str], str]:
        def cell(target: str) -> str:
            peaks = [run.peak for run in _of(runs, case, target)]
            return f"{max(peaks) / MB:,.0f}" if peaks else "–"

        return cell

    def first(form: str, read: Callable[[Run], float]) -> Callable[[str], str]:
        return lambda target: form.format(next(read(run) for run in runs if run.target == target))

    measured = [run for run in runs if run.case != "crowd"]
    rounds = [len(_of(measured, case, target)) for case, target in {(run.case, run.target) for run in measured}]
    return (
        (TEMPLATES / f"{language}.md")
        .read_text()
        .format(
            low=min(run.load for run in runs),
            high=max(run.load for run in runs),
            rounds=f"{min(rounds)}–{max(rounds)}",
            machine=f"{platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}",
            versions=", ".join(f"{name} {version}" for name, version in versions().items()),
            requests=table("requests", cost("rps64"), cost("lat1")),
            streams=table("streams", *(cost(f"stream{count}", "{:.1f}".format) for count in (64, 256, 1000))),
            bodies=table("bodies", cost("img16", lambda us: f"{us / 16e3:.2f}"), most("img16x16")),
            memory=table(
                "memory", first("{:,.0f}", lambda run: run.idle / MB), first("{:.2f}", lambda run: run.started)
            ),
            litellm=median([run.us for run in _of(runs, "stream64slow", "litellm")]),
            crowd="\n".join(_crowd(run, language) for run in runs if run.case == "crowd"),
        )
    )


def _crowd(run: Run, language: str) -> str:
    name = NAMES[language].get(run.target, run.target)
    return CROWD[language].format(
        count=CONNECTIONS, name=name, peak=run.peak / MB, p50=run.p50 / 1e3, p99=run.p99 / 1e3
    )


def write(runs: list[Run]) -> None:
    """Both pages."""
    for language in NAMES:
        (DOCS / language / "benchmarks.md").write_text(_page(runs, language))
