"""The locks of environments: whole, for the machines that they say, and what is told of them."""

import re

import pytest

from aimindserve.domain.environments import NamedEngine, Variant
from aimindserve.domain.reasons import Reason, ReasonCode
from aimindserve.engines.environment_locks import Offer, Target, find_offer, offers, recipe_of
from aimindserve.engines.vllm_data import READ
from aimindserve.node.recipes import find_recipe


def target(python: str, machine: str) -> Target:
    """A machine with Debian 12's C library."""
    every = [f"manylinux_2_{minor}_{machine}" for minor in range(36, 4, -1)]
    return Target(python, machine, (*every, f"manylinux2014_{machine}", f"manylinux1_{machine}", f"linux_{machine}"))


def test_every_version_that_was_read_can_be_installed() -> None:
    named = [offer.version for offer in offers() if (offer.engine, offer.variant) == ("vllm", Variant.CUDA)]
    assert named == list(READ)
    assert find_offer("vllm", "0.32.0", "cpu")
    assert find_offer("vllm", "0.32.1", "cpu") is None


@pytest.mark.parametrize("offer", offers(), ids=lambda offer: offer.key)
def test_a_lock_has_every_package_on_its_targets(offer: Offer) -> None:
    for python, machine in offer.targets:
        recipe = recipe_of(offer, target(python, machine))
        assert recipe is not None, (python, machine)
        names = [wheel.requirement.partition("==")[0] for wheel in recipe.wheels]
        assert len(names) == len(set(names)) > 100
        assert {"torch", "transformers", "torchvision"} <= set(names)
        assert 0.5e9 < recipe.size <= offer.size < 6e9
        torch = next(wheel for wheel in recipe.wheels if wheel.requirement.startswith("torch=="))
        assert re.search(rf"cp{python.replace('.', '')}-.*{machine}", torch.name)


def test_old_versions_get_the_libraries_of_their_time() -> None:
    """vLLM 0.10.2 sets no upper limit for transformers, and does not start with version 5."""
    offer = find_offer("vllm", "0.10.2", "cuda")
    assert offer is not None
    assert offer.cuda == "12.8"
    recipe = recipe_of(offer, target("3.11", "x86_64"))
    assert recipe is not None
    (transformers,) = (one.requirement for one in recipe.wheels if one.requirement.startswith("transformers=="))
    assert transformers.startswith("transformers==4.")


def test_the_cpu_takes_its_own_torch_and_no_cuda() -> None:
    offer = find_offer("vllm", "0.32.0", "cpu")
    assert offer is not None
    recipe = recipe_of(offer, target("3.11", "x86_64"))
    assert recipe is not None
    named = [wheel.requirement for wheel in recipe.wheels]
    assert "torch==2.13.0+cpu" in named
    assert not [one for one in named if one.startswith(("nvidia-", "triton", "torchaudio", "torchcodec"))]
    assert len(recipe.line_repairs) == len(recipe.name_repairs) == 1
    assert all(repair.why for repair in (*recipe.line_repairs, *recipe.name_repairs))
    old = recipe_of(offer, Target("3.11", "x86_64", ("manylinux_2_17_x86_64",)))
    assert old is None, "an old C library"


def test_what_has_no_recipe_is_told_with_what_has() -> None:
    found = find_recipe("vllm", "0.1.0", "cuda")
    assert isinstance(found, Reason)
    assert found.code is ReasonCode.ENVIRONMENT_UNKNOWN
    assert "vllm==0.33.0+cuda" in str(found.params["known"])


@pytest.mark.parametrize(
    ("text", "variant"),
    [("vllm==0.33.0", None), ("vllm==0.32.0+cpu", Variant.CPU), ("llama.cpp==b11434+vulkan", Variant.VULKAN)],
)
def test_names_of_engines(text: str, variant: Variant | None) -> None:
    named = NamedEngine.read(text)
    assert named is not None
    assert (str(named), named.variant) == (text, variant)


@pytest.mark.parametrize("text", ["vllm", "vllm>=1", "vllm==../x", "--index==1", "vllm==1 --pre", "vllm==1+tpu"])
def test_names_that_are_none(text: str) -> None:
    assert NamedEngine.read(text) is None
