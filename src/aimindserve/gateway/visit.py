"""What is known of an inference request once its head was judged."""

import time
from dataclasses import dataclass

from aimindserve.gateway.auth import Caller, is_current
from aimindserve.gateway.endpoints import Row
from aimindserve.gateway.heads import RequestHead


@dataclass(frozen=True, slots=True)
class Visit:
    """A head that was found right under the table of ``generation``. ``limit``: bytes of its body;
    ``trace``: header lines for the engine. The same head needs no second look under that table, but for the time."""

    head: RequestHead
    generation: int
    row: Row
    caller: Caller
    limit: int
    trace: bytes

    def holds(self, head: RequestHead, generation: int) -> bool:
        """Whether it is good for ``head`` too."""
        return self.head is head and self.generation == generation and is_current(self.caller, time.time())
