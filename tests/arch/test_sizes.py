"""Small things with full names: walls for files and functions, with no exception list."""

from __future__ import annotations

import ast

from tests.arch.project import ROOT, project_files, python_files, short, tree_of

PYTHON_FILE_WALL = 400
PAGE_FILE_WALL = 250
FUNCTION_WALL = 60
GENERATED = ("ui/src/api/generated/", "src/aimindserve/server/db/migrations/versions/")


def test_python_files_stay_below_the_wall() -> None:
    too_long = {
        short(path): lines
        for path in python_files("src", "scripts", "tests", "bench", "models")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > PYTHON_FILE_WALL
    }
    assert too_long == {}, f"over {PYTHON_FILE_WALL} lines: split by responsibility"


def test_page_files_stay_below_the_wall() -> None:
    too_long = {
        short(path): lines
        for path in project_files()
        if path.suffix in {".ts", ".tsx", ".css"}
        and not short(path).startswith(GENERATED)
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > PAGE_FILE_WALL
    }
    assert too_long == {}, f"over {PAGE_FILE_WALL} lines: split into components"


def test_functions_stay_below_the_wall() -> None:
    too_long: dict[str, int] = {}
    for path in python_files("src", "scripts", "tests", "bench", "models"):
        for node in () if short(path).startswith(GENERATED) else ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_WALL:
                    too_long[f"{short(path)}:{node.lineno} {node.name}"] = lines
    assert too_long == {}, f"over {FUNCTION_WALL} lines: name its steps"


def test_the_project_was_found() -> None:
    assert (ROOT / "pyproject.toml") in project_files()
    assert len(python_files("src")) > 10
