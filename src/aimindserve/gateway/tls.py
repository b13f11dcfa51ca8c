"""Our own certificate: for new connections, the one that the files hold now."""

import asyncio
import ssl
import sys
from pathlib import Path

LOOK_EVERY = 10.0  # seconds


class CertificateError(Exception):
    """The certificate cannot be used. The message says why."""


class Certificate:
    """A chain and its key, in PEM files. ``context`` takes new connections.

    Raises:
        CertificateError: the files cannot be used.
    """

    def __init__(self, certificate: str, key: str) -> None:
        self._files = (Path(certificate), Path(key))
        self._seen: tuple[tuple[int, int], ...] = ()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self.load()

    def load(self) -> None:
        """Read the files; connections that there are keep what they have.

        Raises:
            CertificateError: the files cannot be used; the old certificate stays.
        """
        certificate, key = self._files
        try:
            self._seen = self._state()
            # A pair that does not fit together must not come into the context of connections.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
            self.context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            why = error.strerror if type(error) is not ssl.SSLError and isinstance(error, OSError) else str(error)
            raise CertificateError(f"the certificate {certificate} with the key {key} cannot be used: {why}") from error

    def _state(self) -> tuple[tuple[int, int], ...]:
        return tuple((state.st_ino, state.st_mtime_ns) for state in (file.stat() for file in self._files))

    def renew(self) -> bool:
        """Read the files again if they have changed; whether they had. Blocking.

        Raises:
            CertificateError: see ``load``.
        """
        try:
            if self._state() == self._seen:
                return False
        except OSError:  # it is being replaced just now
            return False
        self.load()
        return True

    async def watch(self, every: float = LOOK_EVERY) -> None:
        """Take what programs that renew certificates write, without being told."""
        while True:
            await asyncio.sleep(every)
            try:
                await asyncio.to_thread(self.renew)
            except CertificateError as error:
                sys.stderr.write(f"aimindserve gateway: {error}\n")
