"""Which stored model answers for a source whose hub does not."""

import pytest

from aimindserve.domain.facts import FileRole, HubOrigin, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.files import choose_stored
from aimindserve.domain.source import parse_source


def stored(tag: str | None, revision: str = "a" * 40, repository: str = "maker/tiny") -> ModelFacts:
    return ModelFacts(
        format=ModelFormat.GGUF,
        architecture="llama",
        name="tiny",
        quantization=tag,
        files=(ModelFile(path=f"tiny-{tag}.gguf", role=FileRole.WEIGHTS, size=1),),
        origin=HubOrigin(hub="hf", repository=repository, revision=revision),
    )


MODELS = [stored("Q2_K"), stored("Q8_0"), stored("Q6_K"), stored("Q4_K_M", "b" * 40), stored("F16", repository="a/b")]


@pytest.mark.parametrize(
    ("source", "tag"),
    [
        ("hf://maker/tiny", "Q4_K_M"),
        ("hf://maker/tiny@main", "Q4_K_M"),
        (f"hf://maker/tiny@{'a' * 40}", "Q8_0"),
        ("hf://maker/tiny:q6_k", "Q6_K"),
        ("hf://maker/tiny/tiny-Q2_K.gguf", "Q2_K"),
        ("hf://maker/tiny:Q5_K_M", None),
        (f"hf://maker/tiny@{'a' * 40}:Q4_K_M", None),
        ("ms://maker/tiny", None),
        ("hf://maker/other", None),
    ],
)
def test_what_answers(source: str, tag: str | None) -> None:
    found = choose_stored(MODELS, parse_source(source))
    assert (found.quantization if found else None) == tag


def test_local_files_answer_for_no_hub() -> None:
    assert choose_stored([stored("Q8_0").model_copy(update={"origin": None})], parse_source("hf://maker/tiny")) is None
