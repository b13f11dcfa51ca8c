"""Bytes of bodies and pictures that a gateway holds at once, over all requests."""


class BodyBudget:
    """Bytes of request bodies held at once, over all requests."""

    __slots__ = ("held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def reserve(self, count: int) -> bool:
        """Whether ``count`` more bytes may be held; they are counted if so."""
        if self.held + count > self.limit:
            return False
        self.held += count
        return True

    def give_back(self, count: int) -> None:
        """``count`` bytes were let go."""
        self.held -= count


class Held:
    """What one piece of work holds of the budget, and gives back at its end."""

    __slots__ = ("_budget", "count")

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self.count = 0

    def grow(self, count: int) -> bool:
        """Whether ``count`` bytes in all may be held."""
        if count > self.count:
            if not self._budget.reserve(count - self.count):
                return False
            self.count = count
        return True

    def let_go(self) -> None:
        """Give all of it back."""
        self._budget.give_back(self.count)
        self.count = 0
