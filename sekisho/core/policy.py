"""The policy as a value. Reading one from Markdown is `sekisho.policy`'s work.

A rule's digest covers what it decides; a policy's digest covers its rules in order. A *view* of a
policy (`only`) keeps the digest of the document that it is a view of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from .decision import Authority, Decision, Status, Surface
from .errors import UnknownName
from .message import Exchange, Value

ALL_SURFACES = tuple(Surface)
DEFAULT_SEVERITY = 3


def digest_of(value: Any) -> str:
    """`sha256:` and the hash of the canonical JSON (sorted keys, no white space, UTF-8)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Level(Value):
    """One step of a rule's severity rubric (0 benign to 4 extreme) and what is done at it."""

    level: int = Field(ge=0, le=4)
    decision: Decision
    text: str = ""


class Pattern(Value):
    """A user's regular expression in RE2 syntax."""

    expression: str
    severity: int = Field(default=DEFAULT_SEVERITY, ge=0, le=4)
    text: str = ""


class Detector(Value):
    """A built-in detector by name, for instance `card`."""

    name: str
    severity: int = Field(default=DEFAULT_SEVERITY, ge=0, le=4)
    text: str = ""


class Exemption(Value):
    """An entry of a rule's allow-list: an exact text, or a regular expression in RE2 syntax."""

    kind: Literal["exact", "pattern"]
    value: str
    text: str = ""


class Turn(Value):
    """One turn of an example. A marked turn is a candidate: what the mark says of it is its label."""

    role: str
    content: str
    mark: Literal["GOOD", "BAD"] | None = None
    note: str = ""
    severity: int | None = Field(default=None, ge=0, le=4)
    comparison: int | None = None
    """Which comparison of its block the candidate stands in, from 0."""
    attributes: dict[str, str] = {}
    """What else its tag says: `name` of a tool, `recipient` of an assistant's call, …"""


class ExampleBlock(Value):
    """An `**Example**` block as written."""

    title: str
    turns: tuple[Turn, ...] = ()
    comparisons: int = 0
    line: int = 0

    @property
    def good(self) -> int:
        return sum(turn.mark == "GOOD" for turn in self.turns)

    @property
    def bad(self) -> int:
        return sum(turn.mark == "BAD" for turn in self.turns)


class Heading(Value):
    """A heading of the document, rule or not."""

    title: str
    level: int
    line: int
    id: str | None = None
    authority: Authority | None = None
    attributes: dict[str, str] = {}
    text: str = ""
    examples: tuple[ExampleBlock, ...] = ()


class Rule(Value):
    """One rule of a policy."""

    id: str
    title: str
    authority: Authority
    text: str = ""
    violates: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    surfaces: tuple[Surface, ...] = ALL_SURFACES
    check: Literal["meaning", "patterns"] = "meaning"
    patterns: tuple[Pattern, ...] = ()
    detectors: tuple[Detector, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    examples: tuple[ExampleBlock, ...] = ()
    tags: tuple[str, ...] = ()
    on_error: Decision | None = None
    line: int = 0

    @cached_property
    def digest(self) -> str:
        """Hash of what the rule decides; titles, tags and line numbers do not count."""
        facts = self.model_dump(mode="json", exclude={"title", "tags", "line", "on_error"})
        for block in facts["examples"]:
            del block["line"]
        return digest_of(facts)

    @cached_property
    def _actions(self) -> tuple[Decision, ...]:
        if not self.levels:
            return (Decision.ALLOW,) + (Decision.BLOCK,) * 4
        by_level = {level.level: level.decision for level in self.levels}
        actions, current = [], Decision.ALLOW
        for severity in range(5):
            current = by_level.get(severity, current)
            actions.append(current)
        return tuple(actions)

    def action(self, severity: int) -> Decision:
        """What is done when the rule is violated at `severity` (0-4). A level that the rubric
        leaves out takes the action of the next lower one."""
        return self._actions[severity]

    @property
    def floor(self) -> int:
        """The lowest severity at which anything is done; 4 when nothing ever is."""
        return next((s for s in range(5) if self._actions[s] is not Decision.ALLOW), 4)


class OnError(Value):
    """What a rule that was not judged decides, by status."""

    default: Decision = Decision.ESCALATE
    abstained: Decision | None = None
    timeout: Decision | None = None
    error: Decision | None = None

    def decision(self, status: Status) -> Decision:
        if status is Status.OK:
            return Decision.ALLOW
        chosen: Decision | None = getattr(self, status.value)
        return self.default if chosen is None else chosen


class PolicyRef(Value):
    """Which policy a verdict speaks of."""

    id: str
    version: str
    digest: str


class Policy(Value):
    """Rules in order, and how failures are resolved."""

    id: str
    version: str = "0"
    title: str = ""
    license: str | None = None
    languages: tuple[str, ...] = ("en",)
    on_error: OnError = OnError()
    false_positive_budget: float = Field(default=0.02, gt=0, lt=1)
    rules: tuple[Rule, ...] = ()
    headings: tuple[Heading, ...] = ()
    digest: str = ""

    @model_validator(mode="after")
    def _fill_digest(self) -> Self:
        if not self.digest:
            object.__setattr__(self, "digest", self._decided())
        return self

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        if len({rule.id for rule in self.rules}) != len(self.rules):
            raise ValueError("two rules have the same id")
        return self

    def _decided(self) -> str:
        """The digest of what the policy decides."""
        facts = {
            "id": self.id,
            "version": self.version,
            "languages": self.languages,
            "on_error": self.on_error.model_dump(mode="json"),
            "false_positive_budget": self.false_positive_budget,
            "rules": [(rule.digest, rule.on_error) for rule in self.rules],
        }
        return digest_of(facts)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy, with a digest of its own unless the update names one (a view of this policy)."""
        copied = super().model_copy(update=update, deep=deep)
        if update and "digest" not in update:
            object.__setattr__(copied, "digest", copied._decided())
        return copied

    @cached_property
    def ref(self) -> PolicyRef:
        return PolicyRef(id=self.id, version=self.version, digest=self.digest)

    @cached_property
    def _by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises `UnknownName`."""
        try:
            return self._by_id[rule_id]
        except KeyError:
            raise UnknownName(
                f"policy {self.id} has no rule {rule_id!r}", remedy=f"It has: {', '.join(self._by_id)}"
            ) from None

    def only(self, rule_ids: Collection[str]) -> Self:
        """A view with these rules alone, in the policy's order, under the same digest.

        Raises `UnknownName` for an id that the policy does not have: a view that judges nothing must not
        come of a typo.
        """
        for rule_id in rule_ids:
            self.rule(rule_id)
        return self.view(rule for rule in self.rules if rule.id in rule_ids)

    def view(self, rules: Iterable[Rule]) -> Self:
        """This policy with these rules in place of its own, under the same digest."""
        return self.model_copy(update={"rules": tuple(rules), "digest": self.digest})

    def on(self, surface: Surface) -> tuple[Rule, ...]:
        """The rules that apply on a surface."""
        return self._on_surface[surface]

    @cached_property
    def _on_surface(self) -> dict[Surface, tuple[Rule, ...]]:
        return {s: tuple(r for r in self.rules if s in r.surfaces) for s in Surface}

    def on_failure(self, rule: Rule, status: Status) -> Decision:
        """What an unjudged rule decides. The rule's own word goes before the policy's."""
        if status is Status.OK:
            return Decision.ALLOW
        return rule.on_error if rule.on_error is not None else self.on_error.decision(status)


class Example(Value):
    """A labelled exchange."""

    id: str
    exchange: Exchange
    targets: dict[str, bool] = {}
    """Per rule: does the last message violate it? A rule that is absent is unknown."""
    violates: bool | None = None
    """Does it violate any rule? None is unknown."""
    severity: int | None = Field(default=None, ge=0, le=4)
    language: str = "und"
    subject: str = ""
    kind: str = ""
    origin: str = ""
    license: str = ""
    split: str = ""
