"""Hashing under pressure, rules, and the limit on guesses."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.server.fixtures import Clock

from aimindserve.server.passwords import (
    ATTEMPTS,
    WINDOW_SECONDS,
    BusyError,
    LoginLimiter,
    PasswordHasher,
    network_of,
    password_problem,
)


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    made = PasswordHasher()
    yield made
    made.close()


async def test_stored_form_is_argon2id_with_the_chosen_costs(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("a long passphrase")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not hasher.outdated(stored)
    assert hasher.outdated(stored.replace("t=2", "t=1"))
    assert await hasher.verify(stored, "a long passphrase")
    assert not await hasher.verify(stored, "a long passphrasE")


async def test_nobody_has_no_password(hasher: PasswordHasher) -> None:
    for stored in (None, "", "!", "not a hash"):
        for password in ("", "!", "nobody"):
            assert not await hasher.verify(stored, password)


async def test_a_flood_is_turned_away_instead_of_piling_up(hasher: PasswordHasher) -> None:
    """32 may wait; the rest is told at once. Meanwhile the loop serves others."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    busy = asyncio.create_task(others())
    results = await asyncio.gather(*(hasher.verify(None, "x") for _ in range(100)), return_exceptions=True)
    busy.cancel()
    assert [isinstance(result, BusyError) for result in results] == [False] * 32 + [True] * 68
    assert turns > 32, "the loop stood still while passwords were hashed"
    assert not await hasher.verify(None, "x")


@pytest.mark.parametrize(
    ("new", "old", "code"),
    [
        ("eleven char", None, "password_too_short"),
        ("twelve chars", None, None),
        ("twelve chars", "twelve chars", "password_unchanged"),
        ("123456789012", None, "password_common"),
        ("PASSWORD1234", None, "password_common"),
        ("ababababababab", None, "password_common"),
        ("描述这张图片描述这张图片", None, None),
    ],
)
def test_rules(new: str, old: str | None, code: str | None) -> None:
    problem = password_problem(new, old)
    assert (None if problem is None else problem.code.value) == code


def test_limit_is_per_account_and_network(clock: Clock) -> None:
    limiter = LoginLimiter(clock)
    for _ in range(ATTEMPTS):
        assert limiter.wait_seconds("a", "192.0.2.1") == 0
        limiter.attempt("a", "192.0.2.1")
    assert limiter.wait_seconds("a", "192.0.2.1") == WINDOW_SECONDS
    assert limiter.wait_seconds("a", "192.0.2.2") == 0
    assert limiter.wait_seconds("b", "192.0.2.1") == 0
    clock.advance(WINDOW_SECONDS - 1)
    assert limiter.wait_seconds("a", "192.0.2.1") == 1
    clock.advance(1)
    assert limiter.wait_seconds("a", "192.0.2.1") == 0


def test_success_clears_the_count(clock: Clock) -> None:
    limiter = LoginLimiter(clock)
    for _ in range(ATTEMPTS):
        limiter.attempt("a", "192.0.2.1")
    limiter.succeed("a", "192.0.2.1")
    assert limiter.wait_seconds("a", "192.0.2.1") == 0


def test_memory_of_the_limiter_is_bounded(clock: Clock) -> None:
    limiter = LoginLimiter(clock)
    for number in range(10_500):
        limiter.attempt(f"user{number}", "192.0.2.1")
    assert len(limiter._failures) == 10_000


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_network_of_one_person(address: str, network: str) -> None:
    assert network_of(address) == network
