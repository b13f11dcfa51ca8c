"""What the fit report tells of others on the same devices, and of arguments, for those who draw it."""

from tests.domain.memory_models import QWEN2_VL_7B, QWEN2_VL_7B_AWQ
from tests.server.test_fit_report import BY_NAME, deployed, machine, spec

from aimindserve.domain.fit_changes import ChangeKind
from aimindserve.domain.units import format_bytes
from aimindserve.server.fit_report import report
from aimindserve.server.fit_trials import Stage


def test_fewer_copies_of_another_deployment_are_offered() -> None:
    stage = Stage([machine("RTX4090-24GB", node_id="a"), machine("RTX4090-24GB", node_id="b")])
    copies, its_facts = spec("copies", replicas=2), QWEN2_VL_7B
    stage = deployed(stage, copies, its_facts)
    one, facts = spec("awq", "--max-model-len=32768"), QWEN2_VL_7B_AWQ
    found = report(one, facts, stage, "en")
    change = next(change for change in found.alternatives if change.kind is ChangeKind.REPLICAS)
    assert change.others == {"copies": {"replicas": 1}}
    assert found.verdict == "waits"
    staying = Stage(stage.nodes, stage.replicas[:1], names=stage.names)
    assert report(one, facts, staying, "en").verdict == "fits"


def test_who_holds_the_devices_is_told_also_where_there_is_no_room() -> None:
    stage = deployed(Stage([machine("L40S-48GB")]), *BY_NAME["llama"])
    one, facts = BY_NAME["qwen"]
    near = report(one, facts, stage, "en").nearest
    assert near is not None
    (device,) = near.devices
    assert [(held.deployment, held.bytes) for held in device.tenants] == [("llama", device.before)]
    assert device.bytes > device.free
    # The bar and the sentence tell the same number.
    found = report(one, facts, stage, "en")
    assert found.reasons[0].params["needed"] == format_bytes(device.bytes)
    assert near.host is not None
    fitting = report(*BY_NAME["gguf"], stage, "en")
    assert fitting.nearest is None
    assert fitting.placement is not None
    assert [held.deployment for held in fitting.placement.devices[0].tenants] == ["llama"]


def test_the_place_that_is_shown_is_the_one_that_the_refusal_tells_of() -> None:
    one, facts = spec("qwen", "--max-model-len=32768", "--max-num-seqs=64"), QWEN2_VL_7B
    found = report(one, facts, Stage([machine("RTX4060-8GB:2")]), "en")
    assert found.nearest is not None
    assert found.reasons[0].params["needed"] == format_bytes(found.nearest.bytes)
    assert found.gpus == len(found.nearest.devices)


def test_parameters_come_with_their_other_spellings_and_values() -> None:
    stage = Stage([machine("L40S-48GB")])
    one, facts = spec("gguf", "--flash-attn=on"), BY_NAME["gguf"][1]
    told = {item.flag: item for item in report(one, facts, stage, "en").parameters}
    assert ("-c" in told["--ctx-size"].names, told["--ctx-size"].choices) == (True, ())
    assert {"on", "off"} <= set(told["--flash-attn"].choices)
