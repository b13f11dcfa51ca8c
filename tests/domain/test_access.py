"""Who may do what: the whole table, and requests from other pages."""

from itertools import product

import pytest

from aimindserve.domain.access import Policy, Principal, Refusal, Role, Scope, may_use_model, refuse, same_origin

NO, OK = Refusal.FORBIDDEN, None


def session(role: Role = Role.USER, *, must_change: bool = False) -> Principal:
    return Principal("u", "name", role, must_change_password=must_change)


def key(*scopes: Scope, role: Role = Role.USER, must_change: bool = False) -> Principal:
    return Principal("u", "name", role, key_id="k", scopes=frozenset(scopes), must_change_password=must_change)


CHANGE, WHO = Refusal.PASSWORD_CHANGE_REQUIRED, Refusal.UNAUTHENTICATED
#                                            public session user  operator admin  metrics
TABLE = {
    "nobody": (None, (OK, WHO, WHO, WHO, WHO, WHO)),
    "user": (session(), (OK, OK, OK, NO, NO, NO)),
    "operator": (session(Role.OPERATOR), (OK, OK, OK, OK, NO, NO)),
    "admin": (session(Role.ADMIN), (OK, OK, OK, OK, OK, OK)),
    "new user": (session(must_change=True), (OK, OK, CHANGE, CHANGE, CHANGE, CHANGE)),
    "new admin": (session(Role.ADMIN, must_change=True), (OK, OK, CHANGE, CHANGE, CHANGE, CHANGE)),
    "inference key": (key(Scope.INFERENCE), (OK, NO, NO, NO, NO, NO)),
    "admin's inference key": (key(Scope.INFERENCE, role=Role.ADMIN), (OK, NO, NO, NO, NO, NO)),
    "metrics key": (key(Scope.METRICS), (OK, NO, NO, NO, NO, OK)),
    "management key": (key(Scope.MANAGEMENT), (OK, NO, OK, NO, NO, OK)),
    "operator's management key": (key(Scope.MANAGEMENT, role=Role.OPERATOR), (OK, NO, OK, OK, NO, OK)),
    "admin's management key": (key(Scope.MANAGEMENT, role=Role.ADMIN), (OK, NO, OK, OK, OK, OK)),
    "new admin's key": (key(Scope.MANAGEMENT, role=Role.ADMIN, must_change=True), (OK, NO, NO, NO, NO, NO)),
    "key without scopes": (key(role=Role.ADMIN), (OK, NO, NO, NO, NO, NO)),
}


def test_the_table_names_all_policies() -> None:
    assert [*Policy] == [Policy.PUBLIC, Policy.SESSION, Policy.USER, Policy.OPERATOR, Policy.ADMIN, Policy.METRICS]


@pytest.mark.parametrize("who", TABLE)
def test_who_may_use_what(who: str) -> None:
    principal, expected = TABLE[who]
    assert tuple(refuse(principal, policy) for policy in Policy) == expected


def test_models_of_a_key() -> None:
    assert may_use_model(None, "m")
    assert may_use_model({"m"}, "m")
    assert not may_use_model({"m"}, "M")
    assert not may_use_model((), "m")


HOST = "server:8080"
FOREIGN = ["https://evil.example", "http://server", "http://server:8081", "null", "", "http://server:8080.evil.example"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", "PROPFIND", ""])
def test_changes_come_from_our_page_only(method: str) -> None:
    def passes(origin: str | None, site: str | None, header: str | None, host: str = HOST) -> bool:
        return same_origin(method, host=host, origin=origin, fetch_site=site, csrf_header=header)

    assert passes("http://server:8080", None, "1")
    assert passes("HTTPS://SERVER:8080", None, "1")
    assert passes(None, "same-origin", "1")
    assert not passes(None, None, "1")
    assert not passes("http://server:8080", None, None)
    assert not passes("http://server:8080", "same-origin", "0")
    for origin, site in product(FOREIGN, ["cross-site", "same-site", "none", ""]):
        assert not passes(origin, None, "1")
        assert not passes(origin, site, "1")
    assert not passes("null", None, "1", host="")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get"])
def test_reading_needs_no_proof(method: str) -> None:
    assert same_origin(method, host=HOST, origin="https://evil.example", fetch_site="cross-site", csrf_header=None)
