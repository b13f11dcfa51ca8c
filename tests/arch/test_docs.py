"""The documents keep their promises: links lead somewhere, both languages have the same pages, lists are fresh."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.arch.project import ROOT, project_files, short

LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


def test_every_relative_link_leads_to_a_file() -> None:
    broken = [
        f"{short(path)} -> {target}"
        for path in project_files()
        if path.suffix == ".md"
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_both_languages_have_the_same_pages() -> None:
    english = {path.name for path in (ROOT / "docs" / "en").iterdir()}
    chinese = {path.name for path in (ROOT / "docs" / "zh").iterdir()}
    assert english == chinese


def test_the_list_of_reasons_is_fresh() -> None:
    checked = subprocess.run(
        [sys.executable, "scripts/gen_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_pages_of_what_fits_are_fresh() -> None:
    """All thirty fleets with the whole catalog: about ten seconds of work."""
    checked = subprocess.run(
        [sys.executable, "scripts/gen_fit_table.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_readmes_set_up_with_exactly_two_commands() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        blocks = re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
        assert [block.strip() for block in blocks if block.startswith("make ")] == ["make demo", "make test"]


def test_every_command_is_in_the_manual_of_both_languages() -> None:
    import typer

    from aimindserve.cli.main import app

    names = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    for language in ("en", "zh"):
        page = (ROOT / "docs" / language / "cli.md").read_text(encoding="utf-8")
        assert [name for name in names if f"`{name} " not in page and f"aimindserve {name}" not in page] == []


def test_every_decision_has_a_number_of_its_own() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    titles = [page.read_text(encoding="utf-8").partition("\n")[0] for page in pages]
    assert [title for number, title in enumerate(titles, 1) if not title.startswith(f"# {number}. ")] == []
