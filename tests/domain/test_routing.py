"""Names that were meant."""

from aimindserve.domain.routing import near_names


def test_near_names() -> None:
    known = ["tiny-vlm", "Qwen2-VL-7B", "llama"]
    assert near_names("tiny-vln", known) == ("tiny-vlm",)
    assert near_names("qwen2-vl-7b", known) == ("Qwen2-VL-7B",)
    assert near_names("gpt-4o", known) == ()
    assert near_names("", known) == ()
    assert near_names("tiny-vlm" * 100_000, known) == ()
    assert len(near_names("m", ["m1", "m2", "m3", "m4"])) == 3
