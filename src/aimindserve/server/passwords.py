"""Passwords: hashing that cannot starve the server, rules, and the limit on guesses."""

import asyncio
import ipaddress
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from aimindserve.domain.reasons import Reason, ReasonCode, reason

MINIMUM_LENGTH = 12
# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane; about 26 ms of one core.
_MEMORY_KIB = 19 * 1024
_PASSES = 2
_LANES = 1
_THREADS = 2
# Beyond this many waiting logins more of them only make everybody wait.
_MOST_WAITING = 32

ATTEMPTS = 10
WINDOW_SECONDS = 300.0
_MOST_REMEMBERED = 10_000

# Passwords of at least the minimal length that lead the lists of leaked ones.
_COMMON = frozenset(  # one block reads better than sixty quoted lines
    """
    123456789012 1234567890123 12345678901234 123456789123 123123123123 111111111111 000000000000 121212121212
    qwertyuiop12 qwertyuiop123 qwerty123456 qwertyuiopas qwertyuiopasdf qwertyuiop[] 1qaz2wsx3edc 1q2w3e4r5t6y
    q1w2e3r4t5y6 1qazxsw23edc asdfghjkl123 zaq12wsxcde3 password1234 password12345 password123456 passwordpassword
    password123! p@ssw0rd1234 passw0rd1234 administrator admin1234567 admin12345678 adminadmin123 adminadminadmin
    letmein12345 letmeinletmein welcome12345 welcome123456 iloveyou1234 iloveyouiloveyou changeme1234 changemechangeme
    abc123456789 abcd12345678 abcdefghijkl abcdefghijklm aaaaaaaaaaaa woaini1314520 woaini5201314 5201314520131
    aimindserve1 aimindserve123 correcthorsebatterystaple trustno1trustno1 football1234 baseball1234 superman1234
    """.split()  # noqa: SIM905
)


Result = TypeVar("Result")


class BusyError(Exception):
    """Too many logins wait for the hasher."""


class PasswordHasher:
    """argon2id on two threads, so that logins leave a core to everybody else."""

    def __init__(self) -> None:
        self._argon2 = Argon2(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """The stored form of ``password``.

        Raises:
            BusyError: too many others wait.
        """
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` belongs to ``stored``. Without a stored hash (unknown user) it takes as long and says
        no.

        Raises:
            BusyError: too many others wait.
        """
        return await self._run(lambda: self._verify(stored, password))

    def outdated(self, stored: str) -> bool:
        """Whether ``stored`` was made with other costs than today's."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        if self._dummy is None:
            self._dummy = self._argon2.hash(secrets.token_urlsafe())
        try:
            return self._argon2.verify(self._dummy if stored is None else stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= _MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def password_problem(new: str, old: str | None) -> Reason | None:
    """Why ``new`` cannot be a password, or None. ``old`` is the one that it replaces."""
    if len(new) < MINIMUM_LENGTH:
        return reason(ReasonCode.PASSWORD_TOO_SHORT, minimum=MINIMUM_LENGTH)
    if old is not None and new == old:
        return reason(ReasonCode.PASSWORD_UNCHANGED)
    if new.casefold() in _COMMON or len(set(new)) <= 2:
        return reason(ReasonCode.PASSWORD_COMMON)
    return None


class LoginLimiter:
    """At most 10 failed logins in 5 minutes per account and address (IPv6: per /64). A success clears the count.

    Remembers at most 10,000 pairs and forgets the longest unused first.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_seconds(self, username: str, address: str) -> int:
        """Whole seconds until the next attempt is allowed, 0 when it is now."""
        failures = self._recent((username, network_of(address)))
        if len(failures) < ATTEMPTS:
            return 0
        return max(1, round(failures[0] + WINDOW_SECONDS - self._clock()))

    def attempt(self, username: str, address: str) -> None:
        """Counts an attempt, before its outcome is known: attempts that run at once are all counted."""
        pair = (username, network_of(address))
        failures = self._recent(pair)
        failures.append(self._clock())
        self._failures[pair] = failures
        self._failures.move_to_end(pair)
        if len(self._failures) > _MOST_REMEMBERED:
            self._failures.popitem(last=False)

    def succeed(self, username: str, address: str) -> None:
        """Forgets the failures of this pair."""
        self._failures.pop((username, network_of(address)), None)

    def forgive(self, username: str, before: float) -> None:
        """Forgets what failed for this account until ``before``, Unix seconds, from whatever address."""
        for (name, _), failures in self._failures.items():
            while name == username and failures and failures[0] <= before:
                failures.popleft()

    def _recent(self, pair: tuple[str, str]) -> deque[float]:
        failures = self._failures.get(pair, deque())
        oldest = self._clock() - WINDOW_SECONDS
        while failures and failures[0] <= oldest:
            failures.popleft()
        return failures


def network_of(address: str) -> str:
    """The part of an address that one person holds: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
