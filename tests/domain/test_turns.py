"""Whose turn it is: places, lines, and that no key starves another."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aimindserve.domain.turns import Entry, Ticket, Turns

KEYS, MODELS = ("a", "b", "c"), ("m", "n")
KEY_MOST, MODEL_MOST, USER_MOST, WAITING = 3, 4, 5, 6


def ticket(key: str, model: str = "m", *, key_most: int = 16, model_most: int = 4) -> Ticket:
    return Ticket(key, model, ((f"key {key}", key_most), (f"model {model}", model_most)), lambda: None)


def enter_all(turns: Turns, tickets: Iterable[Ticket]) -> list[Ticket]:
    """Those that start at once."""
    return [one for one in tickets if turns.enter(one) is Entry.STARTS]


def test_a_modest_key_is_next_behind_a_greedy_one_with_a_full_line() -> None:
    turns = Turns(waiting=1000)
    running = enter_all(turns, [ticket("greedy") for _ in range(500)])
    modest = ticket("modest")
    assert (len(running), turns.enter(modest)) == (4, Entry.WAITS)
    [first] = turns.leave(running.pop())
    [second] = turns.leave(running.pop())
    assert modest in (first, second)
    assert turns.waiting() == 500 - 4 - 1


@given(
    greedy=st.integers(1, 200),
    modest=st.lists(st.sampled_from(["b", "c", "d", "e"]), min_size=1, max_size=12),
    places=st.integers(1, 8),
)
def test_between_two_starts_of_a_key_everybody_who_waits_is_started(
    greedy: int, modest: list[str], places: int
) -> None:
    turns = Turns(waiting=10_000)
    tickets = [ticket("a", model_most=places, key_most=10_000) for _ in range(greedy)]
    tickets += [ticket(key, model_most=places, key_most=10_000) for key in modest]
    running = enter_all(turns, tickets)
    waiting: Counter[str] = Counter(one.line for one in tickets if not one.running)
    since: dict[str, set[str]] = defaultdict(set)  # keys that started since this key, which waits all the time, did
    while running:
        for started in turns.leave(running.pop(0)):
            running.append(started)
            for key in [key for key, count in waiting.items() if count]:
                if key != started.line:
                    assert started.line not in since[key], f"{started.line} twice while {key} waited"
                    since[key].add(started.line)
            since[started.line].clear()
            waiting[started.line] -= 1
    assert turns.waiting() == 0
    assert not any(waiting.values())


def test_a_key_has_its_share_of_places_and_of_the_line() -> None:
    turns = Turns(waiting=2)
    tickets = [ticket("a", key_most=1) for _ in range(4)]
    assert [turns.enter(one) for one in tickets] == [Entry.STARTS, Entry.WAITS, Entry.WAITS, Entry.FULL]
    assert turns.leave(tickets[3]) == []
    assert turns.leave(tickets[1]) == []
    assert turns.leave(tickets[0]) == [tickets[2]]
    assert turns.running("key a") == 1


def test_a_key_that_waits_for_itself_lets_others_pass() -> None:
    turns = Turns(waiting=9)
    first = ticket("a", key_most=1)
    assert turns.enter(first) is Entry.STARTS
    assert turns.enter(ticket("a", key_most=1)) is Entry.WAITS
    assert turns.enter(ticket("b", key_most=1)) is Entry.STARTS


def test_a_place_of_a_key_that_gets_free_at_one_model_serves_another_one() -> None:
    turns = Turns(waiting=9)
    at_m, at_n = ticket("a", "m", key_most=1), ticket("a", "n", key_most=1)
    assert (turns.enter(at_m), turns.enter(at_n)) == (Entry.STARTS, Entry.WAITS)
    assert turns.leave(at_m) == [at_n]


class Life(RuleBasedStateMachine):
    """Requests of three keys, two of them of one person, at two models, come and go in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns(WAITING)
        self.running: list[Ticket] = []
        self.waiting: list[Ticket] = []

    @rule(key=st.sampled_from(KEYS), model=st.sampled_from(MODELS))
    def come(self, key: str, model: str) -> None:
        user = (("user u", USER_MOST),) if key != "c" else ()
        bounds = ((f"key {key}", KEY_MOST), *user, (f"model {model}", MODEL_MOST))
        one = Ticket(key, model, bounds, lambda: None)
        before = sum(other.line == key for other in self.waiting)
        entry = self.turns.enter(one)
        if entry is Entry.STARTS:
            self.running.append(one)
        elif entry is Entry.WAITS:
            self.waiting.append(one)
        assert (entry is Entry.FULL) <= (before == WAITING)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        one = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        for started in self.turns.leave(one):
            self.waiting.remove(started)
            self.running.append(started)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        one = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        assert self.turns.leave(one) == []

    @invariant()
    def nothing_is_above_its_bound_and_nobody_waits_who_could_run(self) -> None:
        counts = Counter(name for one in self.running for name, _ in one.bounds)
        assert all(self.turns.running(name) == count for name, count in counts.items())
        assert all(counts[name] <= most for one in self.running for name, most in one.bounds)
        assert all(any(counts[name] >= most for name, most in one.bounds) for one in self.waiting)
        assert self.turns.waiting() == len(self.waiting)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
