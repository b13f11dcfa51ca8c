"""The demo model in the embedded engine, without the product around it."""

from pathlib import Path

from tests.accuracy.asking import score, tasks
from tests.accuracy.conftest import IMAGE_LIMITS, launcher
from tests.accuracy.pictures import caption_task, fresh_seed


def test_the_limits_of_image_tokens_decide_about_larger_pictures(tmp_path: Path) -> None:
    """Measured at 640 pixels: 93 % with the limits that the product derives, next to nothing without them."""
    seed = fresh_seed()
    with launcher(tmp_path / "with.log", *IMAGE_LIMITS) as client:
        right = score(client, tasks(lambda rng: caption_task(rng, 640), seed, 40))
    with launcher(tmp_path / "without.log") as client:
        blind = score(client, tasks(lambda rng: caption_task(rng, 640), seed, 15))
    assert right.share >= 0.75, f"seed {seed}: {right}"
    assert blind.share <= 0.3, f"seed {seed}: {blind}"
