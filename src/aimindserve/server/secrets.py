"""Tokens for other services: encrypted in the database, or in files of their own when a start gave them.

They are written and used, never shown: what an answer tells is whether there is one, from where, and its last four
characters. Reading them is left to ``server.hub_access``."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from aimindserve.domain.facts import Hub
from aimindserve.domain.paths import DataPaths
from aimindserve.server.db.engine import UnitOfWork
from aimindserve.server.db.tables import SecretRow
from aimindserve.server.files import create_private_file, read_private_file

log = structlog.get_logger()

_KEY_BYTES = 32
# Random nonces of 96 bits are safe for 2^32 messages with one key (NIST SP 800-38D, 8.3).
_NONCE_BYTES = 12
_HINT_SIGNS = 4
_SHORTEST_HINTED = 12


class DamagedSecretError(Exception):
    """A secret that the database depends on is not as it was written."""


def load_key(path: Path, consequence: str) -> bytes:
    """32 random bytes in a file of mode 0600, made at the first start. ``consequence``: what its loss means.

    Raises:
        DamagedSecretError: it has not the length that it was written with.
        OSError: it can be neither read nor written.
    """
    try:
        key = read_private_file(path)
    except FileNotFoundError:
        key = secrets.token_bytes(_KEY_BYTES)
        create_private_file(path, key)
    if len(key) != _KEY_BYTES:
        raise DamagedSecretError(f"{path} is damaged. Restore it from a backup. Without it {consequence}.")
    return key


@dataclass
class Vault:
    """The key of the stored secrets, and the tokens that the start gave, by hub."""

    key: bytes = field(repr=False)
    given: dict[Hub, str] = field(default_factory=dict[Hub, str], repr=False)

    def seal(self, name: str, text: str) -> bytes:
        """``text`` encrypted (AES-256-GCM: nonce, then ciphertext with its tag). It opens under this name alone."""
        # Here and in ``open``: OpenSSL's 7 MB are loaded by those who keep a token.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, text.encode(), name.encode())

    def open(self, name: str, sealed: bytes) -> str | None:
        """The text, or None when it was sealed with another key or under another name, or was changed."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        try:
            text = AESGCM(self.key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            log.warning("a stored secret cannot be read: store it anew", name=name)
            return None
        return text.decode()


def open_vault(paths: DataPaths) -> Vault:
    """The vault of a data folder, with the tokens of the start.

    Raises:
        DamagedSecretError, OSError: as ``load_key``.
    """
    key = load_key(Path(paths.secrets_key), "stored tokens are lost: remove it to start anew, then store them again")
    return Vault(key, given_tokens(paths))


def given_tokens(paths: DataPaths) -> dict[Hub, str]:
    """The tokens that the start gave, by hub.

    Raises:
        OSError: a file cannot be read, or belongs to another account.
    """
    hubs: tuple[Hub, ...] = ("hf", "ms")
    return {hub: token for hub in hubs if (token := _given_token(_file_of(paths, hub)))}


def forget_given(paths: DataPaths, hub: Hub) -> None:
    """Removes the file of a token that a start gave."""
    _file_of(paths, hub).unlink(missing_ok=True)


def _file_of(paths: DataPaths, hub: Hub) -> Path:
    return Path(paths.huggingface_token if hub == "hf" else paths.modelscope_token)


def _given_token(path: Path) -> str | None:
    try:
        return read_private_file(path).decode(errors="replace").strip() or None
    except FileNotFoundError:
        return None


def hint_of(token: str) -> str:
    """The last four characters; nothing of a token that is so short that they would tell much of it."""
    return token[-_HINT_SIGNS:] if len(token) >= _SHORTEST_HINTED else ""


async def read_secret(session: AsyncSession, vault: Vault, name: str) -> str | None:
    """The stored secret of this name, None where there is none."""
    row = await session.get(SecretRow, name)
    return vault.open(name, row.sealed) if row is not None else None


async def write_secret(work: UnitOfWork, vault: Vault, name: str, text: str, *, hint: str = "") -> None:
    """Stores a secret in place of the one that was there."""
    row = SecretRow(name=name, sealed=vault.seal(name, text), hint=hint, updated_at=work.now)
    await work.session.merge(row)


async def drop_secret(work: UnitOfWork, name: str) -> bool:
    """Removes a secret. False when there was none."""
    row = await work.session.get(SecretRow, name)
    if row is not None:
        await work.session.delete(row)
    return row is not None
