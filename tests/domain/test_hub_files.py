"""Which files of a repository are taken: listings written down as data (``listings/*.json``).

Those with ``seen`` were read from the hub's own pages, sizes rounded as they stand there, or from another project's
list of a repository's files (names only, sizes made up); the others are as commonly known, or made up for one rule
(then their name says which)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.gguf_facts import GgufKind, GgufSummary, ProjectorFacts, TensorSizes
from aimindserve.domain.gguf_files import Candidate, match_projector, quantization_tag
from aimindserve.domain.hub_files import (
    CheckpointPlan,
    GgufChoice,
    RepositoryFile,
    checkpoint_plan,
    default_choice,
    find_choice,
    gguf_choices,
    nearest,
    projector_candidates,
    python_files,
)

CASES: list[dict[str, Any]] = [
    case
    for path in sorted((Path(__file__).parent / "listings").glob("*.json"))
    for case in json.loads(path.read_text())
]
GGUF = [case for case in CASES if "default" in case]
CHECKPOINTS = [case for case in CASES if "weights" in case]
REFUSED = [case for case in CASES if "checkpoint" in case]


def name_of(case: dict[str, Any]) -> str:
    return str(case["repository"])


def files_of(case: dict[str, Any]) -> list[RepositoryFile]:
    return [RepositoryFile(path, size) for path, size in case["files"].items()]


def header(kind: GgufKind, architecture: str, width: int, projector: ProjectorFacts | None = None) -> GgufSummary:
    sizes = TensorSizes()
    return GgufSummary(kind, architecture, "", None, 0, sizes, embedding_size=width, projector=projector)


def projector_of(case: dict[str, Any], choice: GgufChoice) -> str | None:
    """The projector whose (invented) header and (real) name fit the model."""
    model = case["model"]
    kind, widths = case.get("kind", "qwen2vl_merger"), case.get("widths", {})
    near = nearest(projector_candidates(files_of(case)), choice.files[0])
    candidates = [
        Candidate(
            file.name,
            header(
                GgufKind.PROJECTOR,
                "clip",
                0,
                ProjectorFacts(kind, (widths.get(file.path, model["width"]),), sees=True, hears=False),
            ),
        )
        for file in near
    ]
    own = Candidate(choice.files[0].name, header(GgufKind.MODEL, model["architecture"], model["width"]))
    found = match_projector(own, candidates)
    return next((file.path for file in near if found is not None and file.name == found.name), None)


def test_there_are_many_listings() -> None:
    assert len(CASES) >= 60
    assert len([case for case in CASES if "seen" in case]) >= 40


@pytest.mark.parametrize("case", GGUF, ids=name_of)
def test_quantizations(case: dict[str, Any]) -> None:
    choices = gguf_choices(files_of(case))
    labels = [choice.label for choice in choices]
    assert len(labels) == len(set(labels)) == case["count"], labels
    chosen = default_choice(choices)
    assert (chosen.label if chosen else None) == case["default"]
    refused = {choice.label: str(choice.refused.code) for choice in choices if choice.refused}
    assert refused == case.get("refused", {})
    if "default_files" in case:
        assert chosen is not None
        assert [file.path for file in chosen.files] == case["default_files"]
    for wanted, label in case.get("wanted", {}).items():
        found = find_choice(choices, wanted)
        assert (found.label if found else None) == label
    for choice in choices:
        assert choice.size == sum(case["files"][file.path] for file in choice.files)
        assert find_choice(choices, choice.label) is not None


@pytest.mark.parametrize("case", [case for case in GGUF if "model" in case], ids=name_of)
def test_projectors(case: dict[str, Any]) -> None:
    choices = gguf_choices(files_of(case))
    choice = (
        next((c for c in choices if c.label == case["choice"]), None) if "choice" in case else default_choice(choices)
    )
    assert choice is not None
    assert projector_of(case, choice) == case["projector"]


@pytest.mark.parametrize("case", CHECKPOINTS, ids=name_of)
def test_checkpoints(case: dict[str, Any]) -> None:
    plan = checkpoint_plan(files_of(case), name_of(case))
    assert isinstance(plan, CheckpointPlan), plan
    assert [file.path for file in plan.weights] == case["weights"]
    assert plan.mistral is case.get("mistral", False)
    configs = [file.path for file in plan.configs]
    assert configs == case.get("configs", configs)
    assert not set(configs) & {*case["weights"], *case.get("unwanted", ()), ".gitattributes", "README.md"}
    assert ("params.json" if plan.mistral else "config.json") in configs
    assert list(python_files(files_of(case))) == case.get("python", [])
    assert gguf_choices(files_of(case)) == ()


@pytest.mark.parametrize("case", REFUSED, ids=name_of)
def test_repositories_without_a_checkpoint(case: dict[str, Any]) -> None:
    plan = checkpoint_plan(files_of(case), name_of(case))
    assert not isinstance(plan, CheckpointPlan)
    assert plan.code == case["checkpoint"]


def test_a_projector_lies_beside_the_model_or_above_it() -> None:
    files = [RepositoryFile(path, 1) for path in ("mmproj-F16.gguf", "a/mmproj-F32.gguf", "b/c/mmproj-BF16.gguf")]
    candidates = projector_candidates(files)
    found = {
        folder: [file.path for file in nearest(candidates, RepositoryFile(f"{folder}m.gguf", 1))]
        for folder in ("", "a/", "a/x/", "b/", "b/c/")
    }
    assert found == {
        "": ["mmproj-F16.gguf"],
        "a/": ["a/mmproj-F32.gguf"],
        "a/x/": ["a/mmproj-F32.gguf"],
        "b/": ["mmproj-F16.gguf"],
        "b/c/": ["b/c/mmproj-BF16.gguf"],
    }


NAMES = st.text("abQ4_K_M8.0-/imatrixgguf", max_size=40).map(lambda name: f"{name}.gguf")


@given(st.lists(NAMES, max_size=12, unique=True))
def test_any_names_make_choices_that_are_told_apart(names: list[str]) -> None:
    choices = gguf_choices([RepositoryFile(name, len(name)) for name in names])
    taken = [file.path for choice in choices for file in choice.files]
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(names)
    chosen = default_choice(choices)
    assert (chosen is None) == (not choices)
    if chosen is not None and any(choice.refused is None for choice in choices):
        assert chosen.refused is None
    preferred = [name for name in taken if quantization_tag(name) == "Q4_K_M"]
    assert not preferred or chosen is not None
