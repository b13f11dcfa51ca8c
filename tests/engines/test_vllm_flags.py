"""What vLLM's versions take, and what of it a user may set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain import memory_models as models
from tests.engines.vllm_cases import ENGINE, install, machine, refusals

from aimindserve.domain.reasons import ReasonCode
from aimindserve.engines._flags import Given, Kind, Malformed, Policy, Unknown
from aimindserve.engines.vllm_data import READ, data_of, read_version
from aimindserve.engines.vllm_flags import ALLOWED, MANAGED, flag_table, has_flag
from aimindserve.engines.vllm_words import parse_words

# Code, files, addresses, secrets, what requests may bring.
DANGEROUS = (
    "--middleware --tool-parser-plugin --reasoning-parser-plugin --io-processor-plugin --logits-processors "
    "--worker-cls --worker-extension-cls --scheduler-cls --hf-overrides --allowed-local-media-path --config "
    "--log-config-file --chat-template --hf-config-path --lora-modules --ssl-keyfile --ssl-certfile "
    "--ssl-ca-certs --allowed-media-domains --otlp-traces-endpoint --kv-transfer-config --ec-transfer-config "
    "--kv-events-config --weight-transfer-config --data-parallel-address --data-parallel-rpc-port --master-addr "
    "--master-port --grpc-port --tool-server --enable-scale-out --enable-prompt-embeds --enable-mm-embeds "
    "--trust-request-mm-kwargs --profiler-config --trust-request-chat-template --collect-detailed-traces "
    "--hf-token --model-loader-extra-config --speculative-config --compilation-config --additional-config "
    "--tokenizer --enable-lora --nnodes --node-rank --pt-load-map-location"
)


@pytest.mark.parametrize("version", READ)
def test_a_version_was_read_whole(version: str) -> None:
    data = read_version(version)
    assert data.version == version
    assert len(data.flags) > 150
    assert len(data.architectures) > 150
    kinds = {flag.name: flag.kind for flag in data.flags}
    assert kinds["--max-num-seqs"] is Kind.INTEGER
    assert kinds["--max-model-len"] is Kind.SIZE
    assert kinds["--limit-mm-per-prompt"] is Kind.JSON
    assert kinds["--enforce-eager"] is Kind.SWITCH
    assert kinds["--dtype"] is Kind.CHOICE
    assert kinds["--gpu-memory-utilization"] is Kind.NUMBER
    assert kinds["--served-model-name"] is Kind.TEXT


def test_what_changed_between_versions() -> None:
    old, new = (read_version(version) for version in ("0.10.2", "0.33.0"))
    assert "MllamaForConditionalGeneration" in old.architectures
    assert new.gone["MllamaForConditionalGeneration"] == "0.10.2"
    assert has_flag("0.10.2", "--swap-space")
    assert not has_flag("0.33.0", "--swap-space")
    assert not has_flag("0.9.2", "--swap-space"), "not sure is not enough"


def test_versions_that_were_not_read_are_told_by_their_neighbours() -> None:
    assert [data.version for data in data_of("0.33.1")] == ["0.33.0"]
    assert [data.version for data in data_of("0.11.0")] == ["0.10.2", "0.12.0"]
    assert [data.version for data in data_of("0.9.2")] == ["0.10.2"]
    assert [data.version for data in data_of("0.10.2.post2")] == ["0.10.2"]
    both = flag_table("0.11.0")
    assert both.find("--swap-space")
    assert both.find("--max-cudagraph-capture-size")


@pytest.mark.parametrize("version", [*READ, "0.20.0", "0.9.2"])
def test_names_and_policies_of_a_version(version: str) -> None:
    table = flag_table(version)
    names = [name for flag in table.flags for name in (flag.name, *flag.others)]
    assert sorted(names) == sorted(set(names))
    by_name = {flag.name: flag.policy for flag in table.flags}
    for name in (*DANGEROUS.split(), *MANAGED):
        assert by_name.get(name, Policy.DENIED) is not Policy.ALLOWED, name
    assert {by_name[name] for name in ALLOWED if name in by_name} == {Policy.ALLOWED}


def test_every_allowed_name_exists_somewhere() -> None:
    known = {flag.name for version in READ for flag in flag_table(version).flags}
    assert known >= ALLOWED
    assert MANAGED - known == {"--device"}, "gone before the oldest that was read"


@pytest.mark.parametrize(
    ("parameter", "code", "told"),
    [
        ("--max-model-lenn=8192", ReasonCode.PARAMETER_UNKNOWN, "--max-model-len"),
        ("--max-num-seq=16", None, ""),
        ("--max-num-sequences=16", ReasonCode.PARAMETER_UNKNOWN, "--max-num-seqs"),
        ("--enforce-eagr", ReasonCode.PARAMETER_UNKNOWN, "--enforce-eager"),
        ("--limit-mm-per-promt=image=4", ReasonCode.PARAMETER_UNKNOWN, "--limit-mm-per-prompt"),
        ("--ctx-size=8192", ReasonCode.PARAMETER_UNKNOWN, ""),
        ("--swap-space=4", ReasonCode.PARAMETER_UNKNOWN, ""),
        ("--trust-remote-cod", None, ""),
        ("--api_key=x", ReasonCode.PARAMETER_MANAGED, "--api-key"),
        ("--hos=0.0.0.0", ReasonCode.PARAMETER_MANAGED, "--host"),
        ("--disable-log-requests", ReasonCode.PARAMETER_MANAGED, ""),
        ("--middleware=os.system", ReasonCode.PARAMETER_DENIED, ""),
        ("--hf-overrides.auto_map=x", ReasonCode.PARAMETER_DENIED, ""),
        ("--no-trust-request-mm-kwargs", ReasonCode.PARAMETER_DENIED, ""),
        ("--load-format=pt", ReasonCode.PARAMETER_VALUE, "safetensors"),
        ("--load-format=runai_streamer", ReasonCode.PARAMETER_VALUE, "safetensors"),
        ("--generation-config=/etc", ReasonCode.PARAMETER_VALUE, "auto"),
        ("--distributed-executor-backend=evil.Executor", ReasonCode.PARAMETER_VALUE, "mp"),
        ("--max-model-len=many", ReasonCode.PARAMETER_VALUE, "a whole number"),
        ("--max-model-len=auto", ReasonCode.PARAMETER_VALUE, "a whole number"),
        ("--max-model-len=0", ReasonCode.PARAMETER_VALUE, "from 1"),
        ("--gpu-memory-utilization=90", ReasonCode.PARAMETER_VALUE, "to 1"),
        ("--limit-mm-per-prompt=4", ReasonCode.PARAMETER_VALUE, "JSON"),
        ("--limit-mm-per-prompt=image=many", ReasonCode.PARAMETER_VALUE, "JSON"),
        ("--dtype=int4", ReasonCode.PARAMETER_VALUE, "bfloat16"),
    ],
)
def test_guards(parameter: str, code: ReasonCode | None, told: str) -> None:
    found = refusals(models.PIXTRAL, parameter, program=install())
    assert [why.code for why in found] == ([code] if code else [])
    if code:
        assert told in " ".join(str(value) for value in found[0].params.values())


def test_the_environment_is_guarded() -> None:
    made = ENGINE.plan(models.PIXTRAL, (), {"VLLM_PLUGINS": "x", "VLLM_LOGGING_LEVEL": "DEBUG"}, machine())
    assert [why.params["name"] for why in made.refusals] == ["VLLM_PLUGINS"]


@given(
    st.lists(st.text(max_size=40) | st.sampled_from(["--limit-mm-per-prompt.", "--limit-mm-per-prompt.a.b", "5", "{}"]))
)
def test_any_text_is_read_without_an_error(arguments: list[str]) -> None:
    for part in parse_words(flag_table("0.33.0"), arguments):
        assert isinstance(part, Given | Unknown | Malformed)


@given(st.data())
def test_no_beginning_of_a_guarded_flag_passes(data: st.DataObject) -> None:
    table = flag_table("0.33.0")
    guarded = data.draw(st.sampled_from([flag for flag in table.flags if flag.policy is not Policy.ALLOWED]))
    spelling = guarded.name[: data.draw(st.integers(4, len(guarded.name)))]
    for part in parse_words(table, [f"{spelling}=x"]):
        assert (
            isinstance(part, Unknown) or part.flag.policy is not Policy.ALLOWED or part.flag.name.startswith(spelling)
        )
