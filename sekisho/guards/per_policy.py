"""What a guard prepares once for a policy and uses for every check under it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from sekisho.core import Policy

T = TypeVar("T")

KEPT = 16


class PerPolicy(Generic[T]):
    """The last few policies' preparations, by the policy object itself.

    Two views of one document share a digest but not their rules, and hashing a policy costs more than a
    check; so identity is the key, and the policy is kept alive beside what was made for it.
    """

    def __init__(self, make: Callable[[Policy], T]) -> None:
        self._make = make
        self._made: OrderedDict[int, tuple[Policy, T]] = OrderedDict()

    def __call__(self, policy: Policy) -> T:
        entry = self._made.get(id(policy))
        if entry is None:
            entry = self._made[id(policy)] = (policy, self._make(policy))
            while len(self._made) > KEPT:
                # Another thread may have emptied it first.
                self._made.popitem(last=False) if self._made else None
        return entry[1]
