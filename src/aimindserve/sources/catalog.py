"""The catalog's files, which come with the program."""

from functools import cache
from importlib import resources
from typing import cast

import yaml

from aimindserve.domain.catalog import CatalogFamily

# Ten times as fast, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def catalog_families() -> tuple[CatalogFamily, ...]:
    """All families, by name. Reads files the first time: call it on a thread."""
    folder = resources.files("aimindserve").joinpath("catalog")
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".yaml")]
    texts = {entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8") for entry in found}
    return tuple(parse_family(texts[name], name) for name in sorted(texts))


def parse_family(text: str, name: str) -> CatalogFamily:
    """The family in one file. Raises ValueError when it is not as it should be, or not the one that its file's name
    says."""
    family = CatalogFamily.model_validate(cast("object", yaml.load(text, Loader=_LOADER)))  # noqa: S506  # a safe one
    if family.name != name:
        raise ValueError(f"{name}.yaml describes {family.name}")
    return family
