"""What changed between two versions of a policy, and which labelled examples flip with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from sekisho.core import Decision, Exchange, Guard, Policy, Rule, Turn, Value

from .document import PolicyDocument
from .labelled import content_key, context, message

_FRONT_MATTER = ("id", "version", "title", "license", "languages", "on_error", "false_positive_budget")


class Change(Value):
    """One field that differs, as JSON values."""

    field: str
    before: Any
    after: Any


class RuleChange(Value):
    """A rule that both versions have, and what differs in it."""

    rule: str
    changes: tuple[Change, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(change.field for change in self.changes)


class PolicyDiff(Value):
    """The difference between two policies."""

    old: Policy
    new: Policy
    front_matter: tuple[Change, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[RuleChange, ...] = ()
    reordered: bool = False
    """The rules that both have stand in another order."""

    @property
    def empty(self) -> bool:
        """Nothing that this diff speaks of differs."""
        return not (self.front_matter or self.added or self.removed or self.changed or self.reordered)


class Flip(Value):
    """A labelled example that the new version treats otherwise.

    `label`: its mark changed. `action`: what is done at its severity changed, also because its rule
    is gone. `guard`: a guard decides otherwise under the new version.
    """

    kind: Literal["label", "action", "guard"]
    rule: str
    title: str
    """Of the example block."""
    line: int
    """Of the example block, in the old version, or in the new one where only that has it."""
    example: str
    """Hash of the exchange."""
    before: str
    after: str


def diff(old: Policy | PolicyDocument, new: Policy | PolicyDocument) -> PolicyDiff:
    """What changed from `old` to `new`. Rules are the same when their ids are."""
    before = old.policy if isinstance(old, PolicyDocument) else old
    after = new.policy if isinstance(new, PolicyDocument) else new
    olds = {rule.id: rule for rule in before.rules}
    news = {rule.id: rule for rule in after.rules}
    changed = [(name, _changes(rule, news[name])) for name, rule in olds.items() if name in news]
    facts, new_facts = before.model_dump(mode="json"), after.model_dump(mode="json")
    return PolicyDiff(
        old=before,
        new=after,
        front_matter=tuple(
            Change(field=name, before=facts[name], after=new_facts[name])
            for name in _FRONT_MATTER
            if facts[name] != new_facts[name]
        ),
        added=tuple(name for name in news if name not in olds),
        removed=tuple(name for name in olds if name not in news),
        changed=tuple(RuleChange(rule=name, changes=found) for name, found in changed if found),
        reordered=[n for n in olds if n in news] != [n for n in news if n in olds],
    )


_FIELDS: dict[str, Callable[[Rule], Any]] = {
    "title": lambda rule: rule.title,
    "authority": lambda rule: rule.authority.value,
    "text": lambda rule: rule.text,
    "violates": lambda rule: list(rule.violates),
    "allows": lambda rule: list(rule.allows),
    "severity": lambda rule: {str(level.level): level.text for level in rule.levels},
    "actions": lambda rule: [rule.action(severity).value for severity in range(5)],
    "surfaces": lambda rule: [surface.value for surface in rule.surfaces],
    "check": lambda rule: rule.check,
    "patterns": lambda rule: [p.model_dump(mode="json") for p in rule.patterns],
    "detectors": lambda rule: [d.model_dump(mode="json") for d in rule.detectors],
    "exceptions": lambda rule: [e.model_dump(mode="json") for e in rule.exemptions],
    "on_error": lambda rule: rule.on_error.value if rule.on_error else None,
    "tags": lambda rule: list(rule.tags),
    "examples": lambda rule: [b.model_dump(mode="json", exclude={"line"}) for b in rule.examples],
}


def _changes(old: Rule, new: Rule) -> tuple[Change, ...]:
    found = []
    for name, of in _FIELDS.items():
        before, after = of(old), of(new)
        if before != after:
            found.append(Change(field=name, before=before, after=after))
    return tuple(found)


def flips(difference: PolicyDiff, guard: Guard | None = None) -> tuple[Flip, ...]:
    """The labelled examples that flip, in the old document's order.

    Without a guard: examples that both versions have (same rule, same conversation) and mark
    otherwise, or whose severity the rule now answers otherwise; and those of rules that are gone.
    With a guard also those examples of either version that it decides otherwise.
    """
    found: list[Flip] = []
    news = {rule.id: rule for rule in difference.new.rules}
    for rule in difference.old.rules:
        new_rule = news.get(rule.id)
        candidates = {} if new_rule is None else {c.key: c for c in _candidates(new_rule)}
        for old in _candidates(rule):
            new = candidates.get(old.key)
            if new_rule is None:
                found += _action(rule, old, Decision.ALLOW)
            elif new is not None and new.turn.mark != old.turn.mark:
                found.append(_flip("label", rule, old, old.turn.mark or "", new.turn.mark or ""))
            elif new is not None:
                found += _action(rule, old, _decided(new_rule, new.turn))
    if guard is not None:
        found += _guard_flips(difference, guard)
    return tuple(found)


class _Candidate:
    """A marked turn with its context."""

    def __init__(self, turn: Turn, title: str, line: int, exchange: Exchange) -> None:
        self.turn, self.title, self.line, self.exchange = turn, title, line, exchange
        self.key = content_key(exchange)


def _candidates(rule: Rule) -> Iterator[_Candidate]:
    for block in rule.examples:
        for place, turn in enumerate(block.turns):
            if turn.mark is not None:
                turns = (*context(block, place), turn)
                exchange = Exchange(messages=tuple(message(t) for t in turns))
                yield _Candidate(turn, block.title, block.line, exchange)


def _decided(rule: Rule, turn: Turn) -> Decision:
    if turn.mark == "GOOD":
        return Decision.ALLOW
    return rule.action(3 if turn.severity is None else turn.severity)


def _action(rule: Rule, old: _Candidate, after: Decision) -> list[Flip]:
    before = _decided(rule, old.turn)
    return [] if before is after else [_flip("action", rule, old, before.value, after.value)]


def _flip(
    kind: Literal["label", "action", "guard"], rule: Rule, of: _Candidate, before: str, after: str
) -> Flip:
    return Flip(
        kind=kind, rule=rule.id, title=of.title, line=of.line, example=of.key, before=before, after=after
    )


def _guard_flips(difference: PolicyDiff, guard: Guard) -> list[Flip]:
    cases: dict[str, tuple[Rule, _Candidate]] = {}
    for rule in (*difference.old.rules, *difference.new.rules):
        for candidate in _candidates(rule):
            cases.setdefault(candidate.key, (rule, candidate))
    exchanges: Sequence[Exchange] = [candidate.exchange for _, candidate in cases.values()]
    if not exchanges:
        return []
    before = guard.check(exchanges, difference.old)
    after = guard.check(exchanges, difference.new)
    return [
        _flip("guard", rule, candidate, was.decision.value, now.decision.value)
        for (rule, candidate), was, now in zip(cases.values(), before, after, strict=True)
        if was.decision is not now.decision
    ]
