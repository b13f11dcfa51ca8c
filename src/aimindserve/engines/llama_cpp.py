"""llama.cpp: GGUF models through ``llama-server``, ``llama-box`` or the server embedded in ``xllamacpp``."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aimindserve.domain.explanations import Explained, Why, explained
from aimindserve.domain.facts import FileRole, ModelFacts, ModelFormat
from aimindserve.domain.lessons import corrected
from aimindserve.domain.llama_split import balanced_split
from aimindserve.domain.measured import LogReadings
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.memory_llama import estimate_llama_cpp
from aimindserve.domain.nodes import Device, DeviceKind, EngineInstall
from aimindserve.domain.params import EngineParameter, Origin
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import EngineName
from aimindserve.engines._base import Launch, LaunchOrder, Machine, ParameterPlan, Probe, Sight
from aimindserve.engines._diagnosis import Diagnosis
from aimindserve.engines._environment import refused_variables
from aimindserve.engines._flags import Given, Malformed, Parsed, Policy, Unknown, flag_schema
from aimindserve.engines.chat_templates import CHATML, llama_template
from aimindserve.engines.llama_budget import Step, fitting_step, prompt_cache_mib, taken_bytes
from aimindserve.engines.llama_dialects import (
    COUNTERPARTS,
    EMBEDDED,
    LLAMA_BOX,
    LLAMA_SERVER,
    in_dialect,
    log_words,
    supports,
)
from aimindserve.engines.llama_flags import ALLOWED, LLAMA_FLAGS
from aimindserve.engines.llama_logs import explain_log
from aimindserve.engines.llama_measured import read_buffers
from aimindserve.engines.llama_memory import CONTEXT_UNKNOWN, llama_run, seen_by, shares_of, sight
from aimindserve.engines.llama_steps import LLAMA_STEPS

# Tokens that one request may use together with its answer, unless the model was trained on fewer: a large picture
# takes up to 4,096 of them in llama.cpp.
CONTEXT_PER_REQUEST = 8192
_MOST_THREADS = 16
# Numbers of GPUs that are tried: every one would make a plan each.
_GPU_COUNTS = (1, 2, 3, 4, 6, 8, 12, 16)
# More layers than any model has: all of them.
_ALL_LAYERS = "999"
# Flags with which a user takes over how positions are scaled.
_STRETCHES = ("--rope-scaling", "--rope-scale", "--rope-freq-base", "--rope-freq-scale", "--yarn-orig-ctx")
_INSTALL = "pip install 'aimindserve[llama-cpp]'"


class LlamaCpp:
    """The recipe."""

    name: EngineName = "llama.cpp"
    formats = (ModelFormat.GGUF,)
    probe = Probe()
    steps = LLAMA_STEPS

    def parameter_schema(self, flavour: str | None = None) -> dict[str, object]:
        """JSON Schema of what a user may set, by flag, in the dialect ``flavour``."""
        known = [flag for flag in ALLOWED if supports(flavour or LLAMA_SERVER, flag)]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {flag.name: flag_schema(flag) for flag in known},
            "additionalProperties": False,
        }

    def device_kinds(self, install: EngineInstall | None) -> tuple[DeviceKind, ...]:
        """Devices that the program can use, best first. The embedded server is built for the CPU alone."""
        if install is None or install.flavour == EMBEDDED:
            return (DeviceKind.CPU,)
        return (*(kind for kind in install.gpu_kinds), DeviceKind.CPU)

    def choose_install(
        self,
        facts: ModelFacts,  # noqa: ARG002
        installs: Sequence[EngineInstall],
        wanted: str | None,
        device: Device | None = None,
    ) -> EngineInstall | Reason:
        """The first that can use the device, else the first that is there, or the one that is wanted: every version
        runs what is known."""
        fitting = [item for item in installs if item.engine == self.name and wanted in (None, item.version)]
        able = (item for item in fitting if device is not None and device.kind in item.gpu_kinds)
        found = next(iter((*able, *fitting)), None)
        return found or reason(ReasonCode.ENGINE_NOT_INSTALLED, engine=self.name, install=_INSTALL)

    def why_install(self, facts: ModelFacts, install: EngineInstall, wanted: str | None) -> Explained | None:  # noqa: ARG002
        """Every version runs what is known."""
        return None

    def gpu_counts(self, facts: ModelFacts, parameters: Sequence[str], most: int) -> tuple[int, ...]:
        """As many as have some of the layers; one where the user splits rows, or says how many layers are on GPUs, or
        as many as he splits them among. None when he wants no layer there."""
        yours = {flag: item.value for flag, item in _yours(LLAMA_FLAGS.parse(parameters)).items()}
        if yours.get("--n-gpu-layers") == "0" or not most:
            return ()
        given = len(shares_of(yours.get("--tensor-split")))
        if yours.get("--split-mode") in ("none", "row") or not facts.layers:
            return (1,)
        if given:
            return (given,) if given <= most else ()
        return (1,) if "--n-gpu-layers" in yours else tuple(count for count in _GPU_COUNTS if count <= most)

    def plan(
        self,
        facts: ModelFacts,
        parameters: Sequence[str],
        env: Mapping[str, str],
        machine: Machine,
        install: EngineInstall | None = None,
    ) -> ParameterPlan:
        """The arguments that will be passed, apart from those that only the product sets."""
        flavour = install.flavour if install else LLAMA_SERVER
        parsed = LLAMA_FLAGS.parse(parameters)
        refusals = [why for part in parsed if (why := _refusal(part, flavour))]
        yours = _yours(parsed)
        refused = (*refusals, *_no_split(yours), *_too_long(facts, yours), *refused_variables(env))

        def stepped(step: Step) -> ParameterPlan:
            derived = [item for item in _derived(facts, machine, yours, step) if item.flag not in yours]
            plan = ParameterPlan((*derived, *yours.values()), refused, machine)
            return _with_split(_with_prompt_cache(plan, facts, install), facts, install)

        def needs(step: Step) -> int:
            return taken_bytes(self.estimate(facts, stepped(step), install), machine)

        plan = stepped(fitting_step(facts, machine, yours, needs))
        partly = bool(machine.gpus) and llama_run(facts, plan, install).gpu_layers is not None
        return replace(plan, partly=partly)

    def estimate(self, facts: ModelFacts, plan: ParameterPlan, install: EngineInstall | None = None) -> MemoryEstimate:
        """Memory of one replica, in bytes by item."""
        estimate = estimate_llama_cpp(seen_by(facts, plan), llama_run(facts, plan, install))
        return corrected(estimate, plan.lessons.corrections)

    def sight(self, facts: ModelFacts, plan: ParameterPlan) -> Sight:
        """Within the bounds of tokens that it is given."""
        return sight(facts, plan)

    def pictures_per_request(self, facts: ModelFacts, parameters: Sequence[str]) -> int | None:  # noqa: ARG002
        """As many as the context holds; none without the projector."""
        return 0 if "--no-mmproj" in _yours(LLAMA_FLAGS.parse(parameters)) else None

    def launch(self, order: LaunchOrder) -> Launch:
        """The command line."""
        install = order.install
        plan = self.plan(order.facts, order.parameters, order.env, order.machine, install)
        argv = [install.path]
        if install.flavour == EMBEDDED:
            argv += ["-P", "-m", "aimindserve.node.llama_server"]
        argv += ["--model", order.facts.files_of(FileRole.WEIGHTS)[0].path]
        projectors = order.facts.files_of(FileRole.PROJECTOR)
        if projectors:
            argv += ["--mmproj", projectors[0].path]
        argv += ["--alias", order.alias, "--host", order.host, "--port", str(order.port)]
        wants_key = install.flavour != LLAMA_BOX
        if wants_key:
            argv += ["--api-key-file", order.key_file]
        argv += log_words(install)
        for item in in_dialect(plan.parameters, install, order.facts):
            argv += [item.flag] if item.value is None else [item.flag, item.value]
        env = {"CUDA_VISIBLE_DEVICES": ",".join(order.machine.gpus), **order.env}
        return Launch(tuple(argv), env, wants_key)

    def explain(self, lines: Sequence[str], facts: ModelFacts, install: EngineInstall | None) -> Diagnosis:
        """Why a server ended, from its log."""
        return explain_log(lines, facts, f"({install.flavour} {install.version})" if install else "")

    def read_memory(self, lines: Sequence[str], *, on_gpu: bool) -> LogReadings:
        """The buffers that the log names."""
        return read_buffers(lines, on_gpu=on_gpu)


def _yours(parsed: Sequence[Parsed]) -> dict[str, EngineParameter]:
    """What the user set and may set, by flag."""
    return {
        part.flag.name: _item(part.flag.name, part.value, Origin.YOURS, explained(Why.YOURS))
        for part in parsed
        if isinstance(part, Given) and part.flag.policy is Policy.ALLOWED
    }


def _too_long(facts: ModelFacts, yours: Mapping[str, EngineParameter]) -> tuple[Reason, ...]:
    """The user wants more context for each request than the model was trained on, and does not stretch it. Where he
    does not say how many requests share it, as many as there are at most."""
    given, trained = yours.get("--ctx-size"), facts.context_length
    if given is None or not trained or any(flag in yours for flag in _STRETCHES) or "--kv-unified" in yours:
        return ()
    tokens, parallel = int(given.value or 0), _parallel_of(yours, Step.most)
    if -(-tokens // parallel) <= trained:
        return ()
    told = {"flag": given.flag, "most": trained * parallel, "stretch": "--rope-scaling=yarn --rope-freq-scale=0.5"}
    return (reason(ReasonCode.CONTEXT_TOO_LONG, tokens=-(-tokens // parallel), trained=trained, **told),)


def _no_split(yours: Mapping[str, EngineParameter]) -> tuple[Reason, ...]:
    """The user's split says nothing."""
    given = yours.get("--tensor-split")
    if given is None or shares_of(given.value):
        return ()
    told = {"flag": given.flag, "value": (given.value or "")[:100], "expected": "3,1"}
    return (reason(ReasonCode.PARAMETER_VALUE, **told),)


def _with_split(plan: ParameterPlan, facts: ModelFacts, install: EngineInstall | None) -> ParameterPlan:
    """The plan with the layers of each GPU, where there are several and the user says nothing of them."""
    gpus = len(plan.machine.gpus) if plan.machine else 0
    if gpus < 2 or not facts.layers or plan.has("--tensor-split") or plan.value("--split-mode") in ("none", "row"):
        return plan
    counts = balanced_split(seen_by(facts, plan), llama_run(facts, plan, install), gpus)
    items = [_item("--tensor-split", ",".join(map(str, counts)), Origin.DERIVED, explained(Why.LAYERS_BY_GPU))]
    if not plan.has("--split-mode"):
        items.insert(0, _item("--split-mode", "layer", Origin.DERIVED, explained(Why.SPLIT_BY_LAYERS, gpus=gpus)))
    return replace(plan, parameters=(*plan.parameters, *items))


def _with_prompt_cache(plan: ParameterPlan, facts: ModelFacts, install: EngineInstall | None) -> ParameterPlan:
    """The plan with a limit on the memory for finished prompts, where the program keeps any."""
    if plan.has("--cache-ram") or (install is not None and install.flavour == LLAMA_BOX):
        return plan
    size = prompt_cache_mib(seen_by(facts, plan), llama_run(facts, plan, install))
    item = _item("--cache-ram", str(size), Origin.DERIVED, explained(Why.PROMPT_CACHE_SIZED))
    return replace(plan, parameters=(*plan.parameters, item))


def _refusal(part: Parsed, flavour: str) -> Reason | None:
    """Why this argument may not be passed; None when it may."""
    if isinstance(part, Unknown):
        return _unknown(part.spelling, flavour)
    if part.flag.policy is Policy.MANAGED:
        return reason(ReasonCode.PARAMETER_MANAGED, flag=part.flag.name)
    if part.flag.policy is Policy.DENIED:
        return reason(ReasonCode.PARAMETER_DENIED, flag=part.flag.name)
    if isinstance(part, Malformed):
        return reason(ReasonCode.PARAMETER_VALUE, flag=part.flag.name, value=part.value[:100], expected=part.expected)
    if not supports(flavour, part.flag):
        return _unknown(part.flag.name, flavour)
    return None


def _unknown(spelling: str, flavour: str) -> Reason:
    known = [flag for flag in ALLOWED if supports(flavour, flag)]
    counterpart = COUNTERPARTS.get(spelling)
    said_otherwise = any(flag.name == counterpart for flag in known)
    nearest = counterpart if counterpart and said_otherwise else LLAMA_FLAGS.nearest(spelling, known)
    return reason(ReasonCode.PARAMETER_UNKNOWN, engine=flavour, flag=spelling, nearest=nearest)


def choose_threads(machine: Machine) -> tuple[int, Explained]:
    """CPU threads of one engine: the setting, or one less than the physical cores, from 1 to 16.

    More threads than physical cores, or all of them on a busy machine, wait for each other in spin loops and are
    slower than fewer; beyond 16 the memory's bandwidth is the limit.
    """
    if machine.threads is not None:
        return machine.threads, explained(Why.THREADS_FROM_SETTING)
    count = min(max(machine.physical_cores - 1, 1), _MOST_THREADS)
    return count, explained(Why.THREADS_FROM_CORES, cores=machine.physical_cores)


def _derived(
    facts: ModelFacts, machine: Machine, yours: Mapping[str, EngineParameter], step: Step
) -> list[EngineParameter]:
    """What the product sets unless the user does."""
    threads, why = choose_threads(machine)
    batch = yours["--threads"].value if "--threads" in yours else str(threads)
    found = [
        _context(facts, _parallel_of(yours, step.parallel), machine.lessons.context),
        _parallel(machine, step),
        _item("--threads", str(threads), Origin.DERIVED, why),
        _item("--threads-batch", batch, Origin.DERIVED, why),
        _gpu_layers(facts, machine, step),
    ]
    if facts.image_tokens_min:
        found.append(_image_tokens("--image-min-tokens", facts.image_tokens_min))
    if facts.image_tokens_max:
        found.append(_image_tokens("--image-max-tokens", facts.image_tokens_max))
    template = llama_template(facts)
    if template == CHATML:
        found.append(_item("--chat-template", template, Origin.DEFAULT, explained(Why.TEMPLATE_NONE)))
    elif template is not None:
        found.append(_item("--chat-template", template, Origin.DERIVED, explained(Why.TEMPLATE_KNOWN)))
    default = explained(Why.ENGINE_DEFAULT)
    switches = ["--jinja", "--metrics"] if "--no-jinja" not in yours else ["--metrics"]
    switches += [flag for capability, flag in _SERVES.items() if capability in facts.capabilities]
    return found + [_item(flag, None, Origin.DEFAULT, default) for flag in switches]


_SERVES = {"embedding": "--embeddings", "rerank": "--rerank"}


def _parallel(machine: Machine, step: Step) -> EngineParameter:
    usual = Step.usual(machine)
    if step.parallel == usual and usual != Step.wished(machine):
        why, origin = explained(Why.SEQUENCES_RELIEVED, count=usual), Origin.DERIVED
    elif step.parallel == usual:
        why, origin = explained(Why.PARALLEL_DEFAULT), Origin.DEFAULT
    else:
        why, origin = explained(Why.PARALLEL_FEWER, parallel=step.parallel, usual=usual), Origin.DERIVED
    return _item("--parallel", str(step.parallel), origin, why)


def _gpu_layers(facts: ModelFacts, machine: Machine, step: Step) -> EngineParameter:
    layers, why = _ALL_LAYERS, explained(Why.GPU_LAYERS_ALL)
    if not machine.gpus:
        layers, why = "0", explained(Why.NO_GPU)
    elif step.gpu_layers is not None:
        layers = str(step.gpu_layers)
        why = explained(Why.GPU_LAYERS_SOME, layers=step.gpu_layers, all=(facts.layers or 0) + 1)
    return _item("--n-gpu-layers", layers, Origin.DERIVED, why)


def _parallel_of(yours: Mapping[str, EngineParameter], otherwise: int) -> int:
    given = yours.get("--parallel")
    count = int(given.value or 0) if given else 0
    return count if count > 0 else otherwise


def _context(facts: ModelFacts, parallel: int, most: int | None) -> EngineParameter:
    """Cache for ``parallel`` requests of ``most`` tokens: an explicit ``--parallel`` divides ``--ctx-size`` among
    them."""
    trained = facts.context_length or CONTEXT_UNKNOWN
    usual = min(trained, CONTEXT_PER_REQUEST)
    each = min(usual, most or usual)
    why = Why.CONTEXT_RELIEVED if each < usual else Why.CONTEXT_CAPPED if each < trained else Why.CONTEXT_FROM_MODEL
    params = {"tokens": each, "parallel": parallel, "trained": trained}
    return _item("--ctx-size", str(each * parallel), Origin.DERIVED, explained(why, **params))


def _image_tokens(flag: str, tokens: int) -> EngineParameter:
    return _item(flag, str(tokens), Origin.DERIVED, explained(Why.IMAGE_TOKENS_FROM_MODEL, tokens=tokens))


def _item(flag: str, value: str | None, origin: Origin, why: Explained) -> EngineParameter:
    return EngineParameter(flag=flag, value=value, origin=origin, why=why)
