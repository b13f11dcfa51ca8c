"""The fit report as a whole: the guide's five deployments on declared cards, and changes that help."""

from dataclasses import replace

import pytest
from tests.domain.memory_models import (
    QWEN2_VL_2B_GGUF,
    QWEN2_VL_7B,
    QWEN2_VL_7B_AWQ,
    QWEN2_VL_7B_GGUF,
)
from tests.server.fit_cases import BY_NAME, GUIDE, after, applied, deployed, full_of, machine, placed_of, spec

from aimindserve.domain.catalog_facts import variant_facts
from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.fit_changes import ChangeKind, Choice
from aimindserve.domain.replicas import ReplicaObservation, ReplicaState
from aimindserve.domain.specs import DeploymentSpec, PlacementWishes
from aimindserve.server.fit_report import report, wants_other_forms
from aimindserve.server.fit_trials import Stage, try_places
from aimindserve.sources.catalog import catalog_families


def test_the_guides_deployments_share_one_h100() -> None:
    stage = Stage([machine("H100-80GB")])
    together: list[str] = []
    for one, facts in GUIDE:
        found = report(one, facts, stage, "en")
        if found.verdict == "fits":
            assert placed_of(found) == "whole"
            stage = deployed(stage, one, facts)
            together.append(one.name)
            continue
        helpful = [change for change in found.alternatives if change.kind is not ChangeKind.CARD]
        assert helpful, f"{one.name}: nothing is offered"
        for change in helpful:
            there = after(stage, change)
            assert report(applied(one, change.patch), facts, there, "en").verdict == "fits", change
    assert {"llama", "qwen", "phi", "gguf"} == set(together), "three for vLLM and the GGUF one"


def named_variant(source: str) -> tuple[str, ModelFacts]:
    """A variant of the catalog: its source and facts."""
    return next(
        (source, variant_facts(family, model, variant))
        for family in catalog_families()
        for model, variant in family.variants()
        if variant.source("hf") == source
    )


def test_all_five_share_one_h100_with_the_largest_quantised_and_the_changes_that_are_offered() -> None:
    source, pixtral = named_variant("hf://ggml-org/pixtral-12b-GGUF:Q4_K_M")
    wanted = dict(BY_NAME) | {"pixtral": (DeploymentSpec(name="pixtral", source=source), pixtral)}
    stage = Stage([machine("H100-80GB")])
    for name, (one, facts) in wanted.items():
        found = report(one, facts, stage, "en")
        if found.placement is None or found.placement.level != "whole":
            stage = after(stage, next(change for change in found.alternatives if change.others))
        assert placed_of(report(one, facts, stage, "en")) == "whole", name
        stage = deployed(stage, one, facts)
    assert {replica.deployment_id for replica in stage.replicas} == set(BY_NAME)
    (node,) = stage.nodes
    for space in stage.fleet().spaces[node.node_id]:
        assert space.claimed <= space.device.allocatable


def test_a_neighbour_can_go_on_with_less() -> None:
    stage = deployed(Stage([machine("L40S-48GB")]), *BY_NAME["qwen"])
    stage = deployed(stage, *BY_NAME["phi"])
    one, facts = spec("gguf", "--ctx-size=131072"), QWEN2_VL_2B_GGUF
    found = report(one, facts, stage, "en")
    change = next((change for change in found.alternatives if change.kind is ChangeKind.NEIGHBOUR), None)
    assert change is not None, found.alternatives
    there = after(stage, change)
    assert placed_of(report(one, facts, there, "en")) == "whole"
    assert there.fleet().spaces.keys() == stage.fleet().spaces.keys()
    assert sum(tenant.claimed for tenant in there.tenants) < sum(tenant.claimed for tenant in stage.tenants)


@pytest.mark.parametrize("name", ["llama", "qwen", "pixtral", "phi"])
@pytest.mark.parametrize("cards", [("L40S-48GB",), ("RTX4090-24GB:2",)])
def test_every_vllm_model_of_the_guide_fits_48_gb_in_one_card_or_two(name: str, cards: tuple[str, ...]) -> None:
    one, facts = BY_NAME[name]
    found = report(one, facts, Stage([machine(*cards)]), "en")
    assert (found.verdict, placed_of(found)) == ("fits", "whole")
    assert found.placement is not None
    assert found.gpus == len(found.placement.devices)
    assert all(device.bytes == found.memory_high for device in found.placement.devices)
    assert found.placement.host is not None
    assert found.placement.host.bytes == found.host_high


def test_a_refusal_says_why_and_what_would_help() -> None:
    one, facts = BY_NAME["pixtral"]
    found = report(one, facts, Stage([machine("RTX4090-24GB")]), "en")
    assert (found.verdict, found.reasons[0].code) == ("no", "memory_insufficient")
    assert [(refusal.node, refusal.reason.code) for refusal in found.refusals] == [("declared", "memory_insufficient")]
    kinds = {change.kind: change for change in found.alternatives}
    assert kinds[ChangeKind.FP8].patch["parameters"] == [*one.parameters, "--quantization=fp8"]
    assert "RTX5090-32GB" in kinds[ChangeKind.CARD].message
    assert placed_of(report(one, facts, Stage([machine("RTX5090-32GB")]), "en")) == "whole"
    chinese = report(one, facts, Stage([machine("RTX4090-24GB")]), "zh")
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in change.message) for change in chinese.alternatives)


def test_a_named_smaller_quantization_is_offered() -> None:
    choices = (
        Choice("hf://org/awq", "org/awq (awq)", QWEN2_VL_7B_AWQ),
        Choice("hf://org/same", "the same", QWEN2_VL_7B),
    )
    found = report(spec("qwen"), QWEN2_VL_7B, Stage([machine("RTX4080-16GB")]), "en", choices)
    change = next(change for change in found.alternatives if change.kind is ChangeKind.QUANTIZATION)
    assert change.patch["source"] == "hf://org/awq"
    assert "org/awq (awq)" in change.message


def test_what_is_only_partly_on_the_gpu_is_told_how_it_would_be_whole() -> None:
    stage = Stage([machine("RTX4060-8GB")])
    small = QWEN2_VL_7B_GGUF.model_copy(update={"weights": QWEN2_VL_2B_GGUF.weights})
    choices = (Choice("hf://org/x:Q2_K", "Q2_K", small),)
    found = report(spec("qwen"), QWEN2_VL_7B_GGUF, stage, "en", choices)
    assert (found.verdict, placed_of(found)) == ("fits", "partly")
    assert wants_other_forms(found)
    assert ChangeKind.QUANTIZATION in {change.kind for change in found.alternatives}
    whole = report(spec("gguf"), QWEN2_VL_2B_GGUF, stage, "en")
    assert placed_of(whole) == "whole"
    assert whole.alternatives == ()


def test_somebody_elses_room_is_offered_the_least_first() -> None:
    stage = Stage([machine("L40S-48GB")])
    stage = deployed(stage, *BY_NAME["gguf"])
    stage = deployed(stage, *BY_NAME["llama"])
    one, facts = BY_NAME["qwen"]
    found = report(one, facts, stage, "en")
    assert found.verdict == "waits"
    change = next(change for change in found.alternatives if change.kind is ChangeKind.STOP)
    assert change.stop == ("llama",), "the small one would not suffice"
    assert change.patch == {}


def test_a_full_gpu_is_waited_for_and_the_cpu_is_offered() -> None:
    """Nobody learns from slow answers that the GPU was full."""
    one, facts = BY_NAME["gguf"]
    stage = full_of("RTX4090-24GB", (one, facts), BY_NAME["qwen"])
    found = report(one, facts, stage, "en")
    assert (found.verdict, found.reasons[0].code) == ("waits", "memory_claimed")
    changes = {change.kind: change for change in found.alternatives}
    assert changes[ChangeKind.STOP].stop == ("big",)
    on_cpu = applied(one, changes[ChangeKind.CPU].patch)
    assert on_cpu.placement.cpu == "allow"
    allowed = report(on_cpu, facts, stage, "en")
    assert (allowed.verdict, placed_of(allowed)) == ("fits", "cpu")
    assert [note.code for note in allowed.notes] == ["on_cpu"]


def test_without_a_gpu_the_cpu_is_used_and_told_unless_a_gpu_is_wanted() -> None:
    one, facts = BY_NAME["gguf"]
    cpu = Stage([machine(node_id="plain")])
    found = report(one, facts, cpu, "zh")
    assert (found.verdict, placed_of(found), [note.code for note in found.notes]) == ("fits", "cpu", ["on_cpu"])
    never = one.model_copy(update={"placement": PlacementWishes(cpu="never")})
    refused = report(never, facts, cpu, "en")
    assert (refused.verdict, refused.reasons[0].code) == ("no", "cpu_not_wished")
    assert [change.kind for change in refused.alternatives] == [ChangeKind.CPU]
    mixed = Stage([machine(node_id="plain"), *full_of("RTX4090-24GB", (one, facts), BY_NAME["qwen"]).nodes])
    assert placed_of(report(never, facts, mixed, "en")) == "whole"
    whole = report(one, facts, Stage([machine("RTX4090-24GB")]), "en")
    assert (placed_of(whole), whole.notes) == ("whole", ())


def test_who_wants_no_layer_on_a_gpu_gets_the_cpu() -> None:
    one = spec("gguf", "--n-gpu-layers=0")
    assert placed_of(report(one, QWEN2_VL_2B_GGUF, Stage([machine("RTX4090-24GB")]), "en")) == "cpu"


def test_wishes_that_stand_in_the_way() -> None:
    nodes = [machine("RTX4060-8GB", node_id="small"), machine("H100-80GB", node_id="large")]
    wish = PlacementWishes(nodes=("small",), strategy="pack")
    found = report(spec("qwen", placement=wish), QWEN2_VL_7B, Stage(nodes), "en")
    assert {one.node: one.reason.code for one in found.refusals} == {
        "small": "memory_insufficient",
        "large": "node_not_wished",
    }
    assert found.alternatives[0].kind is ChangeKind.WISHES
    assert found.alternatives[0].patch == {"placement": PlacementWishes(strategy="pack").model_dump(mode="json")}


def test_several_replicas_all_have_a_place_or_the_report_says_which_have() -> None:
    nodes = [machine("RTX4090-24GB", node_id="a"), machine("RTX4090-24GB", node_id="b")]
    two = report(spec("qwen", replicas=2), QWEN2_VL_7B, Stage(nodes), "en")
    assert [place.node for place in two.placements] == ["a", "b"]
    three = report(spec("qwen", replicas=3), QWEN2_VL_7B, Stage(nodes), "en")
    assert (three.verdict, len(three.placements)) == ("waits", 2)


def test_a_wrong_number_of_gpus_is_refused_for_what_it_is() -> None:
    found = report(spec("qwen", "--tensor-parallel-size=4"), QWEN2_VL_7B, Stage([machine("RTX4090-24GB:2")]), "en")
    assert found.reasons[0].code == "gpus_too_few"
    assert found.reasons[0].params == {"needed": 4, "found": 2}


def test_memory_of_a_model_that_would_stop_counts_as_free() -> None:
    """On a real card what a running model takes is no longer free."""
    one, facts = BY_NAME["qwen"]
    stage = deployed(Stage([machine("L40S-48GB")]), *BY_NAME["llama"])
    (held,) = stage.replicas
    assert held.assignment is not None
    used = {claim.device_id: claim.bytes for claim in held.assignment.claims}
    running = held.model_copy(update={"observation": ReplicaObservation(id=held.id, state=ReplicaState.READY)})
    (node,) = stage.nodes
    devices = tuple(
        device.model_copy(update={"memory_free": device.memory_free - used.get(device.id, 0)})
        for device in node.devices
    )
    real = replace(stage, nodes=[node.model_copy(update={"devices": devices})], replicas=(running,))
    assert try_places(one, facts, real.fleet(), None).refused is not None
    assert try_places(one, facts, real.fleet(frozenset({"llama"})), None).refused is None
