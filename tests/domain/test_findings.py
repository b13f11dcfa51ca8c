"""What a diagnosis says: every fact in both languages with the same values; drivers compared by their numbers."""

import re
from string import Formatter

import pytest

from aimindserve.domain.drivers import too_old
from aimindserve.domain.finding_texts import FACT_TEXTS
from aimindserve.domain.findings import Fact, Fix, Health, Mend, good, note, worded
from aimindserve.domain.reasons import ReasonCode, reason

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("fact", Fact)
def test_a_fact_has_words_in_both_languages(fact: Fact) -> None:
    english, chinese = FACT_TEXTS[fact.value]
    assert fields(english) == fields(chinese)
    assert english
    assert not CHINESE.search(english)
    assert CHINESE.search(chinese) or fact is Fact.PYTHON


def test_the_words_are_those_of_the_facts() -> None:
    assert FACT_TEXTS.keys() == {fact.value for fact in Fact}


def test_a_finding_in_words() -> None:
    fine = good("port", Fact.PORT_FREE, port=8080)
    assert (worded(fine, "en"), fine.code, fine.health) == (("port 8080 is free", ""), "port_free", Health.OK)
    why = reason(ReasonCode.OPEN_TO_OTHERS, path="/d/k", mode="0644", wanted="600")
    bad = note("permissions", why, Fix(mend=Mend.CLOSE, path="/d/k"))
    message, remedy = worded(bad, "zh")
    assert "0644" in message
    assert "chmod 600 /d/k" in remedy
    assert bad.code == "open_to_others"


@pytest.mark.parametrize(
    ("driver", "cuda", "wanted"),
    [
        ("535.104.05", "12.8", None),
        ("525.60.13", "12.1", None),
        ("525.60.11", "12.1", "525.60.13"),
        ("570.124.06", "13.0", "580.65.06"),
        ("580.65.06", "13.0", None),
        ("450.80.02", "11.8", None),
        ("", "13.0", None),
        ("570.1", "99.0", None),
        ("570.1", "", None),
    ],
)
def test_which_driver_is_too_old(driver: str, cuda: str, wanted: str | None) -> None:
    assert too_old(driver, cuda) == wanted
