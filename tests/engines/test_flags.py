"""How command lines are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.engines._flags import Given, Malformed, Parsed, Policy, Unknown
from aimindserve.engines.llama_flags import ALLOWED, DENIED, LLAMA_FLAGS, MANAGED


def one(*arguments: str) -> Parsed:
    """The only part of a command line."""
    (part,) = LLAMA_FLAGS.parse(arguments)
    return part


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ctx-size=512",),
        ("--ctx-size", "512"),
        ("--ctx-size 512",),
        ("--ctx_size=512",),
        ("-c", "512"),
        ("-c=512",),
        ("-c 512",),
        ("--ctx-s=512",),
    ],
)
def test_spellings_of_one_thing(arguments: tuple[str, ...]) -> None:
    part = one(*arguments)
    assert isinstance(part, Given)
    assert (part.flag.name, part.value) == ("--ctx-size", "512")


@pytest.mark.parametrize(("arguments", "value"), [(("--seed", "-1"), "-1"), (("--temp=-0.5",), "-0.5")])
def test_negative_values(arguments: tuple[str, ...], value: str) -> None:
    part = one(*arguments)
    assert isinstance(part, Given)
    assert part.value == value


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--ctx-size", "many"), "a whole number from 0"),
        (("--ctx-size", "-5"), "a whole number from 0"),
        (("--ctx-size",), "a value"),
        (("--ctx-size", "--metrics"), "a value"),
        (("--metrics=yes",), "no value"),
        (("--temp=nan",), "a number"),
        (("--cache-type-k=q3",), "f32, f16"),
        (("--ctx-size=99999999999",), "to 2147483647"),
    ],
)
def test_wrong_values(arguments: tuple[str, ...], expected: str) -> None:
    part = LLAMA_FLAGS.parse(arguments)[0]
    assert isinstance(part, Malformed)
    assert expected in part.expected


@pytest.mark.parametrize(
    ("spelling", "nearest"), [("--ctx-sise", "--ctx-size"), ("--paralell", "--parallel"), ("--thread", "--threads")]
)
def test_unknown_names_get_the_nearest(spelling: str, nearest: str) -> None:
    assert LLAMA_FLAGS.nearest(spelling) == nearest
    assert isinstance(one("--ctx-sise=1"), Unknown)


def test_the_value_of_an_unknown_flag_is_not_unknown_once_more() -> None:
    assert len(LLAMA_FLAGS.parse(["--nothing-like-it", "5", "--metrics"])) == 2


def test_an_ambiguous_beginning_is_unknown() -> None:
    assert isinstance(one("--rope=1"), Unknown)


def test_every_name_is_there_once() -> None:
    names = [name for flag in LLAMA_FLAGS.flags for name in (flag.name, *flag.others)]
    assert sorted(names) == sorted(set(names))
    assert all(flag.policy is Policy.MANAGED for flag in MANAGED)
    assert all(flag.policy is Policy.DENIED for flag in DENIED)
    assert all(flag.policy is Policy.ALLOWED for flag in ALLOWED)


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_text_is_read_without_an_error(arguments: list[str]) -> None:
    for part in LLAMA_FLAGS.parse(arguments):
        assert isinstance(part, Given | Unknown | Malformed)


def _spellings(name: str) -> list[str]:
    """Ways to write a flag that a parser with abbreviations might take for it."""
    ways = [name, name.replace("-", "_").replace("__", "--", 1), f"{name}=x", f"{name} x"]
    return [*ways, *(name[:length] for length in range(5, len(name)))]


@pytest.mark.parametrize("flag", [*MANAGED, *DENIED], ids=lambda flag: flag.name)
def test_no_spelling_of_a_guarded_flag_passes(flag: object) -> None:
    for name in (flag.name, *flag.others):
        for spelling in _spellings(name):
            passed = [
                part
                for part in LLAMA_FLAGS.parse([spelling])
                if isinstance(part, Given) and part.flag.policy is Policy.ALLOWED
            ]
            assert all(part.flag.name.startswith(spelling.replace("_", "-")) for part in passed), spelling
