"""Context, requests at a time, cache, size of pictures and recorded graphs: the best that fits.

The possible choices are a chain from what one would wish to the least that makes sense; along it nothing ever grows,
so that memory falls, and the first that fits is the best. It does not depend on the bytes that there are: with the
bytes that a choice needs the first that fits is that choice again."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from aimindserve.domain.facts import ModelFacts
from aimindserve.domain.image_tokens import largest_picture
from aimindserve.domain.memory import MemoryEstimate
from aimindserve.domain.memory_constants import default_batch_tokens, vllm_constants
from aimindserve.domain.memory_vllm import cache_item, weights_bytes
from aimindserve.engines.vllm_memory import CONTEXT_UNKNOWN, Sizing, cache_size, measure
from aimindserve.engines.vllm_pictures import with_pixels

# Tokens for one request with its answer: long documents and conversations fit, and the cache of one request stays
# below the weights even where a token is dear (Phi-3.5: 384 KiB, 6 of 7.7 GiB). Where the core is V0 a batch is a whole
# context, on the CPU a long prompt takes minutes.
CONTEXT, CONTEXT_SMALL = 16_384, 8_192
_LEAST_CONTEXT = 2_048
_STEP = 1_024
# Beside the largest picture: words and an answer, at best and at least.
_WORDS, _LEAST_WORDS = 4_096, 1_024
# Requests at a time. V0 tries the largest pictures of all of them at once when it starts (vLLM issue 10569).
SEQUENCES, SEQUENCES_FEW = 64, 16
_FEWER_SEQUENCES = (16, 4)
# Whole requests that the cache holds: as many as a quarter of the weights pays for, from one to four. Short requests
# share it.
_MOST_REQUESTS, _CACHE_SHARE = 4, 0.25
# Below this a picture's text can no longer be read.
_LEAST_PIXELS = 512 * 512


@dataclass(frozen=True, slots=True)
class Choice:
    """``context`` in tokens, ``sequences`` at a time, ``requests`` of the whole context in the cache, ``pixels`` of a
    picture (None: the model's own limit), ``eager``: without recorded graphs."""

    context: int
    sequences: int
    requests: int = 1
    pixels: int | None = None
    eager: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What is not to be chosen: the user's values (None: free). ``pixels``: the model's own limit, where the size of
    pictures can be set. ``eager`` True: in any case; False: never. ``cache``: whether its size can be set.
    ``most_context``, ``most_sequences``: beyond them earlier starts ran out of memory."""

    context: int | None = None
    sequences: int | None = None
    batch_tokens: int | None = None
    pixels: int | None = None
    eager: bool | None = None
    cache: bool = True
    most_context: int | None = None
    most_sequences: int | None = None


@dataclass(frozen=True)
class Problem:
    """``sizing``: the run with all that is fixed. ``budget``: bytes on each device, None for as many as it likes."""

    facts: ModelFacts
    sizing: Sizing
    limits: Limits
    budget: int | None = None
    _known: dict[Choice, MemoryEstimate] = field(
        default_factory=dict[Choice, MemoryEstimate], init=False, repr=False, compare=False
    )

    @cached_property
    def is_v0(self) -> bool:
        """Whether the old core serves the model."""
        run = self.sizing.run
        return vllm_constants(run.version, self.facts.architecture).scheduler == 0

    def sized(self, choice: Choice) -> Sizing:
        """The run with a choice."""
        run = replace(
            self.sizing.run,
            context_tokens=choice.context,
            sequences=choice.sequences,
            batch_tokens=self.limits.batch_tokens or self.batch_tokens(choice),
            image_pixels=choice.pixels or self.sizing.run.image_pixels,
            eager=choice.eager,
            cached_tokens=choice.context * choice.requests,
        )
        sizing = replace(self.sizing, run=run)
        if not self.limits.cache or self.sizing.cache_bytes is not None:
            return sizing
        return replace(sizing, cache_bytes=cache_size(self.facts, sizing))

    def batch_tokens(self, choice: Choice) -> int | None:
        """Tokens of a batch: the engine's own choice, spelt out. V0 decides by itself; what answers with one vector
        for a text takes the text at once."""
        if self.is_v0:
            return None
        run, facts = self.sizing.run, self.facts
        usual = default_batch_tokens(
            run.version, facts.architecture, run.device_bytes, choice.context, sees_images=facts.sees_images
        )
        return usual if "chat" in facts.capabilities else max(usual, choice.context)

    def estimate(self, choice: Choice) -> MemoryEstimate:
        """Memory with a choice; the same choices are looked at several times."""
        if choice not in self._known:
            self._known[choice] = measure(with_pixels(self.facts, choice.pixels), self.sized(choice))
        return self._known[choice]

    def fits(self, choice: Choice) -> bool:
        """Whether the user's cache holds a request, his share of the device suffices, and so do the bytes."""
        if self.budget is not None and self.estimate(choice).high > self.budget:
            return False
        given, share = self.sizing.cache_bytes, self.sizing.share_bytes
        if given is None and share is None:
            return True
        sizing = self.sized(replace(choice, requests=1))
        if given is not None:
            return cache_size(self.facts, sizing) <= given
        plain = measure(with_pixels(self.facts, choice.pixels), replace(sizing, cache_bytes=None, share_bytes=None))
        return plain.high <= (share or 0)

    @cached_property
    def wish(self) -> Choice:
        """What one would choose if there were memory enough."""
        return _wish(self)


def _wish(problem: Problem) -> Choice:
    facts, limits = problem.facts, problem.limits
    few = problem.is_v0 or problem.sizing.on_cpu
    context = limits.context or _wished_context(problem)
    usual = SEQUENCES_FEW if few else SEQUENCES
    sequences = limits.sequences or min(usual, limits.most_sequences or usual)
    if limits.batch_tokens and not limits.sequences:
        sequences = min(sequences, limits.batch_tokens)
    eager = limits.eager if limits.eager is not None else few
    alone = Choice(context, sequences, eager=eager)
    if not limits.cache:
        return alone
    one = cache_item(facts, problem.sized(alone).run).bytes
    paid = int(_CACHE_SHARE * weights_bytes(facts, problem.sizing.run) // max(one, 1))
    return replace(alone, requests=min(max(paid, 1), _MOST_REQUESTS))


def _wished_context(problem: Problem) -> int:
    trained = problem.facts.context_length or CONTEXT_UNKNOWN
    usual = CONTEXT_SMALL if problem.is_v0 or problem.sizing.on_cpu else CONTEXT
    wished = max(usual, _for_picture(problem, None, _WORDS))
    if problem.limits.most_context:
        wished = min(wished, max(problem.limits.most_context, _for_picture(problem, None, _LEAST_WORDS)))
    return min(trained, wished)


def _for_picture(problem: Problem, pixels: int | None, words: int) -> int:
    """Context for the largest picture and some words, in whole steps."""
    if problem.sizing.run.images < 1:
        return 0
    facts = with_pixels(problem.facts, pixels)
    cost = largest_picture(facts, pixels or problem.sizing.run.image_pixels)
    return -(-(cost.tokens + words) // _STEP) * _STEP if cost else 0


def chain(problem: Problem) -> list[Choice]:
    """All choices, from the wish on; each is in nothing larger than the one before it."""
    found = list(_steps(problem))
    return [choice for at, choice in enumerate(found) if at == 0 or choice != found[at - 1]]


def _steps(problem: Problem) -> Iterator[Choice]:
    now, limits = problem.wish, problem.limits
    for requests in range(now.requests, 0, -1):
        now = replace(now, requests=requests)
        yield now
    sizes = [None, *_smaller_pixels(limits.pixels)]
    for floor, sequences in ((CONTEXT_SMALL, _FEWER_SEQUENCES[0]), (_LEAST_CONTEXT, _FEWER_SEQUENCES[1])):
        now = replace(now, sequences=limits.sequences or min(now.sequences, sequences))
        for pixels in sizes if now.pixels is None else [now.pixels]:
            now = replace(now, pixels=pixels)
            least = max(floor, _for_picture(problem, pixels, _LEAST_WORDS))
            for context in range(now.context, min(least, now.context) - 1, -_STEP) if not limits.context else ():
                now = replace(now, context=context)
                yield now
            yield now
    if limits.eager is None:
        yield replace(now, eager=True)


def _smaller_pixels(most: int | None) -> list[int]:
    found: list[int] = []
    while most is not None and most // 2 >= _LEAST_PIXELS:
        most //= 2
        found.append(most)
    return found


def choose(problem: Problem) -> Choice:
    """The first of the chain that fits; where none does, the best of those that need no more than the last."""
    if problem.fits(problem.wish):
        return problem.wish
    choices = chain(problem)
    found = first(choices, problem.fits) if problem.fits(choices[-1]) else None
    if found is None:
        least = problem.estimate(choices[-1]).high
        return first(choices, lambda choice: problem.estimate(choice).high <= least) or choices[-1]
    return found


def first(choices: Sequence[Choice], fits: Callable[[Choice], bool]) -> Choice | None:
    """The first that fits, where all after it fit too."""
    at = bisect_left(choices, True, key=fits)  # noqa: FBT003 - what is looked for
    return choices[at] if at < len(choices) else None
