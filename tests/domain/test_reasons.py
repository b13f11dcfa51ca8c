"""Reasons and explanations: each has its words, in both languages, with values that exist."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import aimindserve
from aimindserve.domain.explanations import Why, explained, sentence
from aimindserve.domain.reason_texts import TEXTS, explain
from aimindserve.domain.reasons import ReasonCode, reason

SOURCES = Path(next(iter(aimindserve.__path__)))
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", ReasonCode)
def test_a_reason_has_a_message_and_a_remedy_in_both_languages(code: ReasonCode) -> None:
    words = TEXTS[code]
    for part in (*words.en, *words.zh):
        assert part.strip() == part != ""
    for part in words.en:
        assert not CHINESE.search(part)
        assert part[0].isupper() or part[0] in "{“"
    for part in words.zh:
        assert CHINESE.search(part)
    assert fields(words.en.message) == fields(words.zh.message)
    assert fields(words.en.remedy) == fields(words.zh.remedy)


def test_codes_are_unique_and_readable() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) and code.name == code.upper() for code in ReasonCode)
    assert TEXTS.keys() == set(ReasonCode)


def made_with(function: str, codes: type[ReasonCode] | type[Why]) -> list[tuple[str, str, set[str]]]:
    """Every ``function(Codes.X, a=…)`` in the product: place, name of the code and names of its values."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != function:
                continue
            code, names = node.args[0] if node.args else None, [keyword.arg for keyword in node.keywords]
            if isinstance(code, ast.Attribute) and ast.unparse(code.value) == codes.__name__ and None not in names:
                place = f"{path.relative_to(SOURCES)}:{node.lineno}"
                found.append((place, code.attr, {name for name in names if name}))
    return found


def test_reasons_are_made_with_the_values_that_their_words_mention() -> None:
    made = made_with("reason", ReasonCode)
    assert len(made) > 20
    missing = {
        place: sorted(wanted - given)
        for place, code, given in made
        if (wanted := set().union(*map(fields, TEXTS[ReasonCode[code]].en))) - given
    }
    assert missing == {}


def test_explanations_are_made_with_the_values_that_their_words_mention() -> None:
    made = made_with("explained", Why)
    assert len(made) > 10
    missing = {
        place: code
        for place, code, given in made
        if "?" in sentence(explained(Why[code], **dict.fromkeys(given, 1)), "en")
    }
    assert missing == {}


def test_words_carry_the_values() -> None:
    why = reason(ReasonCode.PROJECTOR_MISMATCH, path="/m.gguf", projector="p.gguf", have=1280, want=3584)
    for language in ("en", "zh"):
        message = explain(why, language).message
        assert all(value in message for value in ("/m.gguf", "p.gguf", "1280", "3584"))


def test_values_are_not_taken_for_words() -> None:
    why = reason(ReasonCode.SOURCE_NOT_FOUND, path="/{path}/{0}/{x.__class__}")
    assert "/{path}/{0}/{x.__class__}" in explain(why, "en").message


def test_a_missing_value_does_not_hide_the_reason() -> None:
    assert "?" in explain(reason(ReasonCode.SOURCE_NOT_FOUND), "en").message


@pytest.mark.parametrize("code", Why)
def test_an_explanation_has_words_in_both_languages(code: Why) -> None:
    english, chinese = (sentence(explained(code), language).replace("?", "7") for language in ("en", "zh"))
    assert english
    assert not CHINESE.search(english)
    assert CHINESE.search(chinese)
    assert english.count("7") == chinese.count("7")


def test_our_own_words_among_the_values_are_translated_and_names_are_not() -> None:
    missing = reason(ReasonCode.NOT_FOUND, kind="deployment", name="key")
    assert explain(missing, "en").message == "There is no deployment key."
    assert explain(missing, "zh").message == "没有名为 key 的部署。"
    busy = reason(ReasonCode.ACTION_NOT_ALLOWED, name="ready", action="scale", phase="stopping")
    assert explain(busy, "zh").message == "ready 处于 停止中 状态时无法执行“调整副本数”。"
