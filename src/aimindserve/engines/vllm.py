"""vLLM: safetensors models on GPUs, and with its CPU build on the CPU."""

from collections.abc import Mapping, Sequence
from posixpath import dirname

from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import FileRole, ModelFacts, ModelFormat
from aimindserve.domain.measured import LogReadings
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall
from aimindserve.domain.parallel import feasible_tensor_parallel, tensor_parallel_choice
from aimindserve.domain.params import EngineParameter, Origin
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.runs import VllmRun
from aimindserve.domain.specs import EngineName
from aimindserve.domain.units import GIB
from aimindserve.engines._base import Launch, LaunchOrder, Machine, ParameterPlan, Probe, Sight
from aimindserve.engines._diagnosis import Diagnosis
from aimindserve.engines._environment import refused_variables
from aimindserve.engines._flags import (
    FlagTable,
    Given,
    Kind,
    Malformed,
    Parsed,
    Policy,
    Unknown,
    flag_schema,
    read_size,
)
from aimindserve.engines.vllm_data import NEWEST
from aimindserve.engines.vllm_devices import too_old
from aimindserve.engines.vllm_flags import flag_table, positive
from aimindserve.engines.vllm_logs import explain_log
from aimindserve.engines.vllm_measured import read_figures
from aimindserve.engines.vllm_memory import (
    cache_item,
    given_pictures,
    has_coarse_cache,
    measure,
    sight,
    sizing_of,
    vllm_run,
)
from aimindserve.engines.vllm_parameters import PICTURES, Case, code_refusal, derive, usual_pictures
from aimindserve.engines.vllm_pictures import seen_by
from aimindserve.engines.vllm_positions import overrides_positions, too_long
from aimindserve.engines.vllm_steps import VLLM_STEPS
from aimindserve.engines.vllm_versions import choose_install, offer_for, version_for, why_version, wrong_version
from aimindserve.engines.vllm_words import parse_words, read_object

# GPUs of one machine that a refusal names.
_MOST_GPUS = 16
# No request leaves the machine: no hub, no statistics, no redirects of addresses in a request.
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_HOST_IP": "127.0.0.1",
    "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
}
_KEY = "VLLM_API_KEY"


class Vllm:
    """The recipe."""

    name: EngineName = "vllm"
    formats = (ModelFormat.SAFETENSORS,)
    probe = Probe()
    steps = VLLM_STEPS

    def parameter_schema(self, flavour: str | None = None) -> dict[str, object]:  # noqa: ARG002
        """JSON Schema of what a user may set, by flag, in the newest version that is known."""
        known = [flag for flag in flag_table(NEWEST).flags if flag.policy is Policy.ALLOWED]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {flag.name: flag_schema(flag) for flag in known},
            "additionalProperties": False,
        }

    def device_kinds(self, install: EngineInstall | None) -> tuple[DeviceKind, ...]:
        """Devices that the program was built for: vLLM has a build for each kind."""
        if install is None:
            return (DeviceKind.NVIDIA,)
        return install.gpu_kinds or (DeviceKind.CPU,)

    def choose_install(
        self,
        facts: ModelFacts,
        installs: Sequence[EngineInstall],
        wanted: str | None,
        device: Device | None = None,
    ) -> EngineInstall | Reason:
        """The newest version that runs the model on the device, or the one that is wanted."""
        found = choose_install(facts, installs, wanted, device)
        if isinstance(found, EngineInstall):
            return found
        refused = found or (wrong_version(facts, wanted) if wanted else None)
        offer = offer_for(facts, wanted if refused is None else None, device)
        if refused is None:
            install = f"aimindserve engine install {offer.named}" if offer else "aimindserve engine ls"
            refused = reason(
                ReasonCode.ENGINE_NOT_INSTALLED, engine=f"vllm {wanted or version_for(facts)}", install=install
            )
        # What the page offers to install in one click.
        return (
            refused.model_copy(update={"params": {**refused.params, "offer": str(offer.named)}}) if offer else refused
        )

    def why_install(self, facts: ModelFacts, install: EngineInstall, wanted: str | None) -> Explained | None:
        """That the user named the version, or why no newer one."""
        return why_version(facts, install.version, wanted)

    def gpu_counts(self, facts: ModelFacts, parameters: Sequence[str], most: int) -> tuple[int, ...]:
        """The number that the user gave, else those that divide the model's heads and widths."""
        run = self._asked(facts, parameters)
        gpus = run.tensor_parallel * run.pipeline_parallel
        if gpus > 1 or _is_given(parameters, "--tensor-parallel-size"):
            fits = gpus <= most and tensor_parallel_choice(facts, run.tensor_parallel, run).refused is None
            return (gpus,) if fits else ()
        return feasible_tensor_parallel(facts, most, run)

    def _asked(self, facts: ModelFacts, parameters: Sequence[str]) -> VllmRun:
        parsed = parse_words(flag_table(version_for(facts)), parameters)
        return vllm_run(facts, {part.flag.name: part.value for part in parsed if isinstance(part, Given)}, NEWEST, None)

    def plan(
        self,
        facts: ModelFacts,
        parameters: Sequence[str],
        env: Mapping[str, str],
        machine: Machine,
        install: EngineInstall | None = None,
    ) -> ParameterPlan:
        """The arguments that will be passed, apart from those that only the product sets."""
        version = install.version if install else version_for(facts)
        table = flag_table(version)
        parsed = parse_words(table, parameters)
        refusals = [why for part in parsed if (why := _refusal(part, version))]
        given = [part for part in parsed if isinstance(part, Given) and _is_allowed(part)]
        yours = {part.flag.name: _yours(part) for part in given}
        off = frozenset(positive(name) for name in yours if positive(name) != name)
        case = Case(facts, version, machine, install, yours, off)
        items, more = derive(case)
        refusals += [why for why in (wrong_version(facts, version), code_refusal(case), _indivisible(case)) if why]
        refusals += [why for why in (_too_old(case), too_long(facts, version, yours, env)) if why]
        return ParameterPlan(tuple(items), (*refusals, *more, *refused_variables(env)), machine)

    def estimate(self, facts: ModelFacts, plan: ParameterPlan, install: EngineInstall | None = None) -> MemoryEstimate:
        """Memory of one replica on each of its devices, in bytes by item."""
        version = install.version if install else version_for(facts)
        seen = seen_by(facts, read_object(plan.value("--mm-processor-kwargs")))
        return measure(seen, sizing_of(seen, plan, version, install))

    def sight(self, facts: ModelFacts, plan: ParameterPlan) -> Sight:
        """As its processor is told."""
        return sight(facts, plan)

    def pictures_per_request(self, facts: ModelFacts, parameters: Sequence[str]) -> int | None:
        """What the user gave, else what is derived for the model."""
        parsed = parse_words(flag_table(version_for(facts)), parameters)
        given = next((part.value for part in parsed if isinstance(part, Given) and part.flag.name == PICTURES), None)
        return usual_pictures(facts) if given is None else given_pictures(read_object(given))

    def launch(self, order: LaunchOrder) -> Launch:
        """The command line. The key comes by the environment, which only the account itself can read."""
        plan = self.plan(order.facts, order.parameters, order.env, order.machine, order.install)
        argv = [order.install.path, "serve", model_folder(order.facts)]
        argv += ["--served-model-name", order.alias, "--host", order.host, "--port", str(order.port)]
        table = flag_table(order.install.version)
        for item in plan.parameters:
            argv += _said(table, item)
        env = {**_ENVIRONMENT, **self._devices(order, plan), **order.env}
        return Launch(tuple(argv), env, wants_key=True, key_variable=_KEY)

    def _devices(self, order: LaunchOrder, plan: ParameterPlan) -> dict[str, str]:
        """By number, since old versions take no other names of GPUs; slices of one have only names."""
        machine = order.machine
        sliced = machine.device is not None and machine.device.is_slice
        names = list(machine.gpus) if sliced else [str(number) for number in machine.gpu_numbers] or list(machine.gpus)
        found = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(names)}
        sizing = sizing_of(order.facts, plan, order.install.version, order.install)
        if sizing.on_cpu and has_coarse_cache(sizing):
            size = cache_item(self.estimate(order.facts, plan, order.install)).high
            found["VLLM_CPU_KVCACHE_SPACE"] = str(max(-(-size // GIB), 1))
        return found

    def explain(self, lines: Sequence[str], facts: ModelFacts, install: EngineInstall | None) -> Diagnosis:
        """Why a server ended, from its log."""
        return explain_log(lines, facts, install.version if install else version_for(facts))

    def read_memory(self, lines: Sequence[str], *, on_gpu: bool) -> LogReadings:  # noqa: ARG002
        """The figures that the log names."""
        return read_figures(lines)


def model_folder(facts: ModelFacts) -> str:
    """The folder that holds the model: where its configuration lies, else its first weights."""
    files = (*facts.files_of(FileRole.CONFIG), *facts.files_of(FileRole.WEIGHTS))
    folders = sorted({dirname(file.path) for file in files}, key=lambda folder: (folder.count("/"), folder))
    return folders[0] if folders else ""


def _yours(part: Given) -> EngineParameter:
    value = part.value
    if part.flag.kind is Kind.SIZE and value is not None and value not in part.flag.words:
        value = str(read_size(value))
    return EngineParameter(flag=part.flag.name, value=value, origin=Origin.YOURS, why=explained(Why.YOURS))


def _is_given(parameters: Sequence[str], flag: str) -> bool:
    parsed = parse_words(flag_table(NEWEST), parameters)
    return any(isinstance(part, Given) and part.flag.name == flag for part in parsed)


def _refusal(part: Parsed, version: str) -> Reason | None:
    """Why this argument may not be passed; None when it may."""
    if isinstance(part, Unknown):
        return reason(ReasonCode.PARAMETER_UNKNOWN, engine=f"vllm {version}", flag=part.spelling, nearest=part.nearest)
    if part.flag.policy is Policy.MANAGED:
        return reason(ReasonCode.PARAMETER_MANAGED, flag=part.flag.name)
    if part.flag.policy is Policy.DENIED and not _is_allowed(part):
        return reason(ReasonCode.PARAMETER_DENIED, flag=part.flag.name)
    if isinstance(part, Malformed):
        return reason(ReasonCode.PARAMETER_VALUE, flag=part.flag.name, value=part.value[:100], expected=part.expected)
    return None


def _is_allowed(part: Given | Malformed) -> bool:
    return part.flag.policy is Policy.ALLOWED or overrides_positions(part)


def _indivisible(case: Case) -> Reason | None:
    """The user wants a number of GPUs that the model cannot be divided among."""
    gpus = case.count("--tensor-parallel-size")
    values = {item.flag: item.value for item in case.yours.values()}
    run = vllm_run(case.facts, values, case.version, None)
    if gpus is None or tensor_parallel_choice(case.facts, gpus, run).refused is None:
        return None
    counts = ", ".join(str(count) for count in feasible_tensor_parallel(case.facts, _MOST_GPUS, run))
    return reason(ReasonCode.GPUS_INDIVISIBLE, gpus=gpus, counts=counts)


def _too_old(case: Case) -> Reason | None:
    """The device is too old for the version, or for weights as they are or as the user wants them."""
    return None if case.on_cpu else too_old(case.facts, case.version, case.device, case.value("--quantization"))


def _said(table: FlagTable, item: EngineParameter) -> list[str]:
    if item.value is None:
        return [item.flag]
    flag = table.find(item.flag)
    if flag is not None and flag.several:
        return [item.flag, *item.value.split()]
    return [f"{item.flag}={item.value}"]
