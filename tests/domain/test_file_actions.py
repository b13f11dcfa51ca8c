"""What may be done with model files."""

import pytest

from aimindserve.domain.file_actions import FileAction, WantedFiles, file_actions
from aimindserve.domain.files import ModelState

A, S, W = FileAction, ModelState, WantedFiles


@pytest.mark.parametrize(
    ("state", "wanted", "used", "actions"),
    [
        (S.READY, None, False, {A.DEPLOY, A.DELETE}),
        (S.READY, W.STORED, True, {A.DEPLOY}),
        (S.DOWNLOADING, W.STORED, False, {A.PAUSE, A.DELETE}),
        (S.DOWNLOADING, None, True, set()),
        (S.DOWNLOADING, W.STORED, True, set()),
        (S.QUEUED, W.STORED, False, {A.PAUSE, A.DELETE}),
        (S.PAUSED, W.PAUSED, False, {A.RESUME, A.DELETE}),
        (S.FAILED, W.STORED, False, {A.RETRY, A.DELETE}),
        (S.FAILED, None, False, {A.DELETE}),
        (S.READY, W.DELETED, False, set()),
    ],
)
def test_actions(state: ModelState, wanted: WantedFiles | None, used: bool, actions: set[FileAction]) -> None:
    assert set(file_actions(state, wanted, used=used)) == actions


def test_a_local_path_is_forgotten_and_never_deleted() -> None:
    for state in ModelState:
        for used in (True, False):
            assert A.DELETE not in file_actions(state, None, used=used, local=True)
