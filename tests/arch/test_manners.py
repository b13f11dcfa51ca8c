"""Rules that no linter of the shelf knows."""

from __future__ import annotations

import ast
import re

import pytest
from tests.arch.project import ROOT, SOURCE, project_files, python_files, short, tree_of
from tests.arch.task_groups import stray_tasks

TEXT_SUFFIXES = {
    ".py",
    ".md",
    ".ts",
    ".tsx",
    ".toml",
    ".json",
    ".yaml",
    ".yml",
    ".sh",
    ".css",
    ".html",
    ".ini",
    ".cfg",
}
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|Users|home/[a-z]+|mnt)/[\w.-]+")
GENERATED = "src/aimindserve/server/db/migrations/versions/"
LOOP_HELPERS = {"src/aimindserve/server/reconcile/loop.py", "src/aimindserve/node/loop.py"}


def test_every_source_folder_is_named_in_the_architecture_page() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = {path.parent for path in python_files("src/aimindserve") if path.parent != SOURCE}
    unnamed = sorted(
        str(folder.relative_to(SOURCE))
        for folder in folders
        if not short(folder / "x").startswith(GENERATED) and f"`{folder.relative_to(SOURCE)}/`" not in page
    )
    assert unnamed == [], "name each folder in ARCHITECTURE.md"


def test_no_path_of_one_machine() -> None:
    offenders = [
        f"{short(path)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        if path.suffix in TEXT_SUFFIXES and path.name not in {"package-lock.json", "test_manners.py"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert offenders == []


def test_public_functions_have_docstrings() -> None:
    offenders = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in python_files("src")
        if not short(path).startswith(GENERATED)
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert offenders == []


def _calls(tree: ast.Module) -> list[tuple[ast.Call, str, str]]:
    """``(call, receiver, name)`` of each method call."""
    return [
        (node, ast.unparse(node.func.value), node.func.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def test_tasks_start_only_in_task_groups() -> None:
    """A task is owned by a group that waits for it; ``asyncio.create_task`` and the loop's are owned by nobody."""
    offenders = [f"{short(path)}:{task}" for path in python_files("src") for task in stray_tasks(tree_of(path))]
    assert offenders == []


@pytest.mark.parametrize(
    ("code", "strays"),
    [
        ("async def f():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(g())", 0),
        ("async def f(tasks: asyncio.TaskGroup):\n    tasks.create_task(g())", 0),
        ("class C:\n    def f(self, t: TaskGroup):\n        self._t = t\n        self._t.create_task(g())", 0),
        ("asyncio.create_task(g())", 1),
        ("group.create_task(g())", 1),
        ("asyncio.get_running_loop().create_task(g())", 1),
        ("asyncio.ensure_future(g())", 1),
    ],
)
def test_the_rule_on_tasks_itself(code: str, strays: int) -> None:
    assert len(stray_tasks(ast.parse(code))) == strays


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """``except:``, ``except Exception`` or ``except BaseException``, alone or in a tuple."""
    if handler.type is None:
        return True
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in names)


def test_broad_except_lives_only_in_the_loop_helper() -> None:
    """A broad handler elsewhere must pass the error on with a bare ``raise`` as its last statement."""
    offenders = [
        f"{short(path)}:{node.lineno}"
        for path in python_files("src")
        if short(path) not in LOOP_HELPERS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
        if not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]
    assert offenders == []


def test_no_shell_and_no_process_outside_the_places_that_start_processes() -> None:
    """Processes are started by the node, the supervisor and the tools, and by the gateway to decode pictures of
    strangers; always from an argv list."""
    may_start = (
        "src/aimindserve/node/",
        "src/aimindserve/cli/",
        "src/aimindserve/sim/",
        "src/aimindserve/devices/",
        "src/aimindserve/gateway/reencode.py",
    )
    offenders = [
        f"{short(path)}:{call.lineno} {receiver}.{name}"
        for path in python_files("src")
        if not short(path).startswith(may_start)
        for call, receiver, name in _calls(tree_of(path))
        if (receiver == "subprocess" and name in {"run", "Popen", "call", "check_call", "check_output"})
        or (
            receiver == "os"
            and (name in {"system", "popen", "fork"} or name.startswith(("exec", "spawn", "posix_spawn")))
        )
        or name.startswith("create_subprocess")
    ]
    assert offenders == []
