"""Which GGUF files belong together, by names and headers as they are published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.gguf_facts import GgufKind, GgufSummary, ProjectorFacts, TensorSizes
from aimindserve.domain.gguf_files import (
    Candidate,
    choose_model,
    match_projector,
    named_like_projector,
    parse_part,
    quantization_tag,
)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Qwen2-VL-2B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen2-VL-2B-Instruct-IQ2_M.gguf", "IQ2_M"),
        ("model.q8_0.gguf", "Q8_0"),
        ("m-Q3_K_XL.gguf", "Q3_K_XL"),
        ("m-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("gpt-oss-20b-MXFP4.gguf", "MXFP4"),
        ("m-BF16.gguf", "BF16"),
        ("m-fp16.gguf", "F16"),
        ("mmproj-F32.gguf", "F32"),
        ("name-Q4_K_M-00001-of-00003.gguf", "Q4_K_M"),
        ("Q8_0-and-Q4_0.gguf", "Q4_0"),
        ("plain.gguf", None),
        ("MyQ4_Kmodel.gguf", None),
    ],
)
def test_quantization_in_a_name(name: str, tag: str | None) -> None:
    assert quantization_tag(name) == tag


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("big-00002-of-00003.gguf", ("big", 2, 3)),
        ("big.gguf", None),
        ("big-00000-of-00003.gguf", None),
        ("big-00004-of-00003.gguf", None),
        ("big-2-of-3.gguf", None),
        ("big-00001-of-99999.gguf", None),
        ("-00001-of-00001.gguf", None),
    ],
)
def test_parts(name: str, expected: tuple[str, int, int] | None) -> None:
    part = parse_part(name)
    assert (part and (part.prefix, part.number, part.count)) == expected
    if part:
        assert part.names()[part.number - 1] == name
        assert len(part.names()) == part.count


def test_the_file_to_run_in_a_folder() -> None:
    published = ["m-F16.gguf", "m-IQ2_M.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-m-f16.gguf", "m-imatrix.gguf"]
    assert choose_model(published) == "m-Q4_K_M.gguf"
    assert choose_model(name for name in published if "Q4" not in name) == "m-Q8_0.gguf"
    assert choose_model(["b.gguf", "a.gguf", "eagle3-a.gguf"]) == "a.gguf"
    assert choose_model(["m-00002-of-00002.gguf", "m-00001-of-00002.gguf"]) == "m-00001-of-00002.gguf"
    assert choose_model(["mmproj-F16.gguf", "x-lora.gguf"]) is None
    assert choose_model([]) is None
    assert named_like_projector("MMPROJ-x.gguf")


def summary(architecture: str, name: str = "", width: int = 1536, quantization: str = "F16") -> GgufSummary:
    return GgufSummary(
        kind=GgufKind.MODEL,
        architecture=architecture,
        name=name,
        quantization=quantization,
        parameters=1,
        sizes=TensorSizes(),
        embedding_size=width,
    )


def model(file: str, architecture: str = "qwen2vl", **values: object) -> Candidate:
    return Candidate(file, summary(architecture, **values))  # type: ignore[arg-type]


def projector(
    file: str, kind: str = "qwen2vl_merger", *, widths: tuple[int, ...] = (1536,), sees: bool = True, **values: object
) -> Candidate:
    made = summary("clip", **values)  # type: ignore[arg-type]
    facts = ProjectorFacts(type=kind, widths=widths, sees=sees, hears=not sees)
    fields = {field: getattr(made, field) for field in made.__dataclass_fields__}
    return Candidate(file, GgufSummary(**(fields | {"kind": GgufKind.PROJECTOR, "projector": facts})))


def matched(*given_files: Candidate) -> str | None:
    found = match_projector(given_files[0], given_files[1:])
    return found.name if found else None


def test_the_guides_model_gets_the_smaller_of_its_two_projectors() -> None:
    guide = model("Qwen2-VL-2B-Instruct-Q4_K_M.gguf")
    exact, coarse = (
        projector(f"mmproj-Qwen2-VL-2B-Instruct-{tag.lower()}.gguf", quantization=tag) for tag in ("F32", "F16")
    )
    assert matched(guide, exact, coarse) == coarse.name
    assert matched(guide, exact) == exact.name


def test_width_and_family_decide_before_names() -> None:
    guide = model("Qwen2-VL-2B-Q4_K_M.gguf")
    assert matched(guide, projector("mmproj-Qwen2-VL-2B.gguf", widths=(3584,))) is None
    assert matched(guide, projector("mmproj-Qwen2-VL-2B.gguf", "gemma3")) is None
    assert matched(guide, projector("mmproj-x.gguf", "qwen2.5vl_merger")) == "mmproj-x.gguf"
    assert matched(guide, projector("mmproj-x.gguf", widths=(1280, 1536))) == "mmproj-x.gguf"
    assert matched(guide, projector("mmproj-audio.gguf", "qwen2a", sees=False)) is None


def test_of_two_models_in_a_folder_each_gets_its_own() -> None:
    files = [projector("mmproj-cat-F16.gguf"), projector("mmproj-dog-F16.gguf")]
    assert matched(model("dog-Q4_0.gguf"), *files) == "mmproj-dog-F16.gguf"
    declared = [projector("mmproj-1.gguf", name="Cat VL"), projector("mmproj-2.gguf", name="Dog VL")]
    assert matched(model("x.gguf", name="dog vl"), *declared) == "mmproj-2.gguf"


def test_a_model_that_can_do_without_takes_no_strangers() -> None:
    writer = model("story-writer.gguf", "llama")
    assert matched(writer, projector("mmproj-pixtral.gguf", "pixtral")) is None
    assert matched(writer, projector("mmproj-model-f16.gguf", "pixtral")) == "mmproj-model-f16.gguf"
    assert matched(writer, projector("mmproj-story-writer.gguf", "pixtral")) == "mmproj-story-writer.gguf"
    assert matched(writer, projector("mmproj-model-f16.gguf", "qwen2vl_merger")) is None


@given(st.text("Qq48_KM-.fFmproj0", max_size=30), st.permutations(["a", "ab", "abc"]))
def test_names_never_fail_and_order_does_not_matter(text: str, order: list[str]) -> None:
    quantization_tag(text)
    parse_part(text)
    files = [projector(f"mmproj-{name}{text}.gguf") for name in order]
    assert matched(model(f"abc{text}.gguf"), *files) == matched(model(f"abc{text}.gguf"), *sorted(files, key=str))
