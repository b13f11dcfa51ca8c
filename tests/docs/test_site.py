"""The documentation site builds without a warning, in both languages, and loads nothing from the internet."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.arch.project import ROOT
from tests.docs.snippets import pages

# What a page loads by itself: scripts, styles, pictures, fonts. Links are for people to follow.
_LOADS = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(https?:)?//|<link[^>]*rel=\"(?:stylesheet|preconnect)\"[^>]*href=\"https?://"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    return folder


def test_every_page_is_there_in_both_languages_and_in_the_menu(site: Path) -> None:
    names = [page.stem for page in pages("docs/en") if page.stem != "index"]
    menu = (site / "index.html").read_text(encoding="utf-8")
    for name in names:
        assert (site / name / "index.html").is_file()
        assert (site / "zh" / name / "index.html").is_file()
        assert f'href="{name}/"' in menu, f"{name} is not in the menu of mkdocs.yml"


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loading = [
        str(page.relative_to(site)) for page in site.rglob("*.html") if _LOADS.search(page.read_text(encoding="utf-8"))
    ]
    assert loading == []
