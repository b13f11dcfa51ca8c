"""Which names of a file are task groups: bound by ``async with``, annotated, or copied from such a name."""

from __future__ import annotations

import ast


def _last(expression: str) -> str:
    """``self._tasks`` is known by its last part."""
    return expression.rpartition(".")[2]


def group_names(tree: ast.Module) -> set[str]:
    """Every name and attribute of the file that holds an ``asyncio.TaskGroup``."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and node.optional_vars is not None:
            if ast.unparse(node.context_expr).endswith("TaskGroup()"):
                names.add(_last(ast.unparse(node.optional_vars)))
        elif isinstance(node, ast.arg) and node.annotation is not None:
            if "TaskGroup" in ast.unparse(node.annotation):
                names.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and "TaskGroup" in ast.unparse(node.annotation):
            names.add(_last(ast.unparse(node.target)))
    copies = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name)]
    names |= {
        _last(ast.unparse(target))
        for node in copies
        if isinstance(node.value, ast.Name) and node.value.id in names
        for target in node.targets
    }
    return names


def stray_tasks(tree: ast.Module) -> list[str]:
    """``line: call`` of every task that no group owns."""
    owned = group_names(tree)
    found: list[str] = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        receiver, name = ast.unparse(node.func.value), node.func.attr
        if name == "ensure_future" or (name == "create_task" and _last(receiver) not in owned):
            found.append(f"{node.lineno}: {receiver}.{name}")
    return found
