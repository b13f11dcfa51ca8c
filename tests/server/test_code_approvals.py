"""An administrator's word that code of a repository may run: one commit, once, taken back."""

import httpx
import pytest

APPROVALS = "/api/v1/hub/approvals"
WISH = {"hub": "hf", "repository": "some/model", "revision": "a" * 40}


async def test_said_listed_and_taken_back(cli: httpx.AsyncClient) -> None:
    first = await cli.post(APPROVALS, json=WISH)
    assert first.status_code == 201
    assert (await cli.post(APPROVALS, json=WISH)).json() == first.json()
    items = (await cli.get(APPROVALS)).json()["items"]
    assert items == [first.json()]
    assert items[0]["actor"].startswith("key:")
    gone = f"{APPROVALS}/hf/some/model/{'a' * 40}"
    assert (await cli.delete(gone)).status_code == 204
    assert (await cli.get(APPROVALS)).json()["items"] == []
    missing = await cli.delete(gone)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("wrong", [{"repository": "x"}, {"repository": "a/../b"}, {"revision": "a b"}, {"hub": "gh"}])
async def test_what_is_no_commit_is_refused(cli: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    assert (await cli.post(APPROVALS, json={**WISH, **wrong})).status_code == 422
