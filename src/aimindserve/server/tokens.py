"""Random ids and tokens, and the digests under which tokens are stored."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from aimindserve.domain.access import KEY_PREFIX

_ID_BYTES = 10
_PASSWORD_ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_PASSWORD_LENGTH = 20


def new_id() -> str:
    """A new id: 12 characters of base32 in lower case (60 random bits)."""
    return base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode().lower()[:12]


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. ``token`` is shown once and stored nowhere."""

    id: str
    token: str


def new_key() -> NewKey:
    """A new API key: ``sk-<id>-<secret>`` with 256 random bits."""
    key_id = new_id()
    return NewKey(key_id, f"{KEY_PREFIX}{key_id}-{secrets.token_urlsafe(32)}")


def new_session_token() -> str:
    """A new session cookie's value, 256 random bits."""
    return secrets.token_urlsafe(32)


def new_password() -> str:
    """20 letters and digits (117 bits), without those that look alike."""
    return "".join(secrets.choice(_PASSWORD_ALPHABET) for _ in range(_PASSWORD_LENGTH))


@dataclass(frozen=True, slots=True, repr=False)
class Digester:
    """Makes the digests of tokens. ``pepper``: 32 secret bytes that are in no database."""

    pepper: bytes

    def digest(self, token: str) -> str:
        """HMAC-SHA-256 of ``token`` as lower-case hex."""
        return hmac.new(self.pepper, token.encode(), hashlib.sha256).hexdigest()
