"""The list of parts (SBOM) of a release as CycloneDX 1.6 JSON: every locked Python package, every package of the page.

Made from the locks alone, so that the same sources give the same bytes. Usage: ``sbom.py > aimindserve.cdx.json``.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYTHON_LOCK = ROOT / "requirements" / "runtime.txt"
PAGE_LOCK = ROOT / "ui" / "package-lock.json"
_PACKAGE = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==(\S+?)(?:\s*;\s*(.*?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^    #(?: via(?= \S))?\s+(?!via$)([a-z0-9][a-z0-9._-]*)")
OURSELVES = "aimindserve"


@dataclass
class Locked:
    """One pinned package of a pip lock. ``hashes``: SHA-256 of each of its files; ``via``: who asked for it."""

    name: str
    version: str
    marker: str = ""
    hashes: list[str] = field(default_factory=list)
    via: list[str] = field(default_factory=list)


def read_lock(text: str) -> list[Locked]:
    """The packages of a lock that ``uv pip compile --generate-hashes`` wrote."""
    packages: list[Locked] = []
    for line in text.splitlines():
        if start := _PACKAGE.match(line):
            packages.append(Locked(start[1], start[2], start[3] or ""))
        elif packages:
            packages[-1].hashes += _HASH.findall(line)
            if via := _VIA.match(line):
                packages[-1].via.append(via[1])
    return packages


def python_component(package: Locked) -> dict[str, Any]:
    """A Python package; the hashes are those of its files on the index."""
    purl = f"pkg:pypi/{package.name}@{package.version}"
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": package.name, "version": package.version}
    component["purl"] = purl
    component["externalReferences"] = [
        {
            "type": "distribution",
            "url": f"https://pypi.org/project/{package.name}/{package.version}/",
            "hashes": [{"alg": "SHA-256", "content": value} for value in package.hashes],
        }
    ]
    if package.marker:
        component["properties"] = [{"name": "aimindserve:marker", "value": package.marker}]
    return component


def page_components(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages of which the page is built, without those that only build or test it."""
    found: dict[str, dict[str, Any]] = {}
    for path, entry in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if not name or entry.get("dev") or entry.get("link"):
            continue
        purl = f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"
        component = {"type": "library", "bom-ref": purl, "name": name, "version": entry["version"], "purl": purl}
        if algorithm_and_digest := entry.get("integrity", "").partition("sha512-")[2]:
            content = base64.b64decode(algorithm_and_digest).hex()
            component["hashes"] = [{"alg": "SHA-512", "content": content}]
        if isinstance(entry.get("license"), str):
            component["licenses"] = [{"expression": entry["license"]}]
        found[purl] = component
    return [found[purl] for purl in sorted(found)]


def dependencies(packages: list[Locked], page: list[dict[str, Any]], ourselves: str) -> list[dict[str, Any]]:
    """Who needs whom, as the lock says it; the page's packages hang on us."""
    refs = {package.name: f"pkg:pypi/{package.name}@{package.version}" for package in packages}
    needs: dict[str, list[str]] = {ref: [] for ref in refs.values()}
    needs[ourselves] = [component["bom-ref"] for component in page]
    for package in packages:
        for parent in package.via:
            needs[ourselves if parent == OURSELVES else refs[parent]].append(refs[package.name])
    return [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)]


def make_sbom(lock: str, page_lock: dict[str, Any], version: str) -> dict[str, Any]:
    """The whole list for one version of aiMindServe."""
    packages = read_lock(lock)
    page = page_components(page_lock)
    ourselves = f"pkg:pypi/{OURSELVES}@{version}"
    parts = [*map(python_component, packages), *page]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, ourselves + json.dumps(parts, sort_keys=True))
    about = {"type": "application", "bom-ref": ourselves, "name": OURSELVES, "version": version, "purl": ourselves}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": about | {"licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": parts,
        "dependencies": dependencies(packages, page, ourselves),
    }


def text_of(version: str) -> str:
    """The SBOM of this tree as a file's text."""
    sbom = make_sbom(PYTHON_LOCK.read_text(), json.loads(PAGE_LOCK.read_text()), version)
    return json.dumps(sbom, indent=1, ensure_ascii=False) + "\n"


def our_version() -> str:
    """The version in the package's ``__init__.py``."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "src" / OURSELVES / "__init__.py").read_text())
    if found is None:
        raise SystemExit("src/aimindserve/__init__.py names no version")
    return found[1]


if __name__ == "__main__":
    sys.stdout.write(text_of(our_version()))
