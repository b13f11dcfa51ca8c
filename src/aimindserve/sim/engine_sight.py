"""What the emulated engine says of the pictures that a start asks about. Pure."""

import base64

from aimindserve.domain.sight_pictures import Trial, trials

# More than there are different ones.
_NUMBERS = 6


def shown_trial(body: bytes) -> Trial | None:
    """The drawn picture that a request holds; None when it holds none."""
    if b"image_url" not in body:
        return None
    known = (trial for number in range(_NUMBERS) for trial in trials(number))
    return next((trial for trial in known if base64.b64encode(trial.png) in body), None)


def told_of(trial: Trial, *, right: bool) -> str:
    """The right answer, or one that nothing in the picture suggests."""
    return f"It is {trial.shown}." if right else "It is a purple elephant."
