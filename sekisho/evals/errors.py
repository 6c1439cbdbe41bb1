"""The worst errors of a guard, by set, rule and language: what the page's error browser shows.

A false positive is an innocent text that was flagged, a false negative a violating one that was not; the higher
or the lower its score, the worse. On the shipped set the rule is the case's, on public sets their own category.

Texts of public sets may not be copied into reports that are kept. They are held only when they are asked for,
in a field that is never serialised: no `report.json` can contain them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from sekisho.core import Decision, Example, Exchange, Guard, Role, Surface, Value, Verdict

from .neighbours import Neighbour, NeighbourFacts, TrainingCorpus, TrainingText, nearest
from .outcomes import is_undecided, judged_rules
from .shipped import Case, CaseOutcome

Error = Literal["false_positive", "false_negative", "wrong_rule"]
"""`wrong_rule`: a shipped case was stopped, but not by its own rule."""
State = Literal["wrong", "undecided", "near"]
"""`undecided` counts as an error, but no judgement explains it; `near` is none, only the nearest to one."""

ERRORS: Final[tuple[Error, ...]] = ("false_positive", "false_negative", "wrong_rule")
SHIPPED: Final = "shipped"
"""The shipped set's name. Its texts are ours; whether a text is, hangs on its field, not on this."""
PER_GROUP: Final = 20
"""Errors of one kind that are kept for a set, rule and language."""
PER_SET: Final = 40
"""Errors of one kind that are kept for a public set, whatever its categories: some have hundreds."""
UNDECIDED_PER_GROUP: Final = 3
NEAREST: Final = 10
"""A set with fewer false positives than this is filled up with the innocent texts that came nearest."""
LONGEST_TEXT: Final = 4000
"""Characters of a text that are kept."""
LONGEST_CATEGORY: Final = 80


class JudgedText(Value):
    """A judged message, and the user's turn before it."""

    text: str
    context: str = ""
    left_out: int = 0
    """Characters of the message that were cut off at its end."""


class ErrorCase(Value):
    """One text on which the guard erred, or came near to it."""

    id: str
    surface: Surface
    category: str = ""
    """The set's own categories as they stand there; the first is the group's rule."""
    state: State = "wrong"
    decision: Decision
    cited: tuple[str, ...] = ()
    """The rules on which the decision rests."""
    score: float | None = None
    rule_score: float | None = None
    """The score of the case's own rule; shipped cases only."""
    text: JudgedText | None = None
    """Of shipped cases: they are ours."""
    borrowed: JudgedText | None = Field(default=None, exclude=True, repr=False)
    """Of public sets, if it was asked for. Never serialised."""
    neighbours: tuple[Neighbour, ...] = ()


class ErrorGroup(Value):
    """The errors of one kind on a set, rule and language."""

    set: str
    rule: str
    """Of the shipped case, or the set's category; empty where the set has none."""
    language: str
    error: Error
    made: int
    """Errors in the whole group, listed or not, without the undecided texts."""
    undecided: int = 0
    of: int
    """Texts of the group on which this error can be made."""
    cases: tuple[ErrorCase, ...] = ()
    """Worst first. Empty where the set has so many groups that others came before."""


class GuardErrors(Value):
    """The errors of a guard, and the training texts that are near to them."""

    groups: tuple[ErrorGroup, ...] = ()
    neighbours: NeighbourFacts = NeighbourFacts()
    training: tuple[TrainingText, ...] = ()
    """Every training text that some case names as its neighbour."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A group with the exchanges of its cases, in the same order."""

    group: ErrorGroup
    exchanges: tuple[Exchange, ...]


_Key = tuple[Error, str, str]
"""Kind of error, rule, language."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A case with its rank: how bad it is, and minus its number, so that of two equals the earlier is worse."""

    rank: tuple[float, int]
    case: ErrorCase
    exchange: Exchange
    key: _Key

    def __lt__(self, other: _Entry) -> bool:
        return self.rank < other.rank


class _Worst:
    """The worst of what it was shown, at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[_Entry] = []

    def takes(self, rank: tuple[float, int]) -> bool:
        return len(self._heap) < self._most or rank > self._heap[0].rank

    def push(self, entry: _Entry) -> None:
        heapq.heappush(self._heap, entry)
        if len(self._heap) > self._most:
            heapq.heappop(self._heap)

    def worst_first(self) -> list[_Entry]:
        return sorted(self._heap, reverse=True)


class _Group:
    def __init__(self) -> None:
        self.of = self.made = self.undecided = 0
        self.wrong, self.left_open = _Worst(PER_GROUP), _Worst(UNDECIDED_PER_GROUP)


class WorstErrors:
    """Collects the worst errors on one set while its texts pass by; memory does not grow with the set."""

    def __init__(self, name: str, *, with_texts: bool = False, per_set: int | None = PER_SET) -> None:
        self.name = name
        self.with_texts = with_texts
        self.per_set = per_set
        self._groups: dict[_Key, _Group] = {}
        self._near = _Worst(NEAREST)
        self._seen = 0

    def add(self, examples: Sequence[Example], verdicts: Sequence[Verdict]) -> None:
        """Texts of a public set."""
        for example, verdict in zip(examples, verdicts, strict=True):
            label, score = bool(example.violates), -1.0 if verdict.score is None else verdict.score
            state: State | None = "wrong" if verdict.flagged != label else None if label else "near"
            if is_undecided(verdict):
                state = "undecided"
            category = example.subject[:LONGEST_CATEGORY]
            facts: dict[str, object] = {"id": example.id, "category": category}
            if self.with_texts and state is not None:
                facts["borrowed"] = judged_text(example.exchange)
            error: Error = "false_negative" if label else "false_positive"
            key = (error, category.partition("|")[0], example.language)
            self._add(key, state, example.exchange, verdict, bad=-score if label else score, facts=facts)

    def add_cases(
        self, cases: Sequence[Case], outcomes: Sequence[CaseOutcome], verdicts: Sequence[Verdict]
    ) -> None:
        """Shipped cases, read as for their figures: a violation has to be found under its own rule."""
        for case, outcome, verdict in zip(cases, outcomes, verdicts, strict=True):
            violating, score, own = case.kind == "violating", verdict.score or 0.0, outcome.score or 0.0
            error: Error = "false_negative" if violating else "false_positive"
            state: State | None = None
            bad = -score if violating else score
            if outcome.undecided:
                state = "undecided"
            elif not violating:
                state = "wrong" if outcome.acted else "near"
            elif not outcome.named:
                state = "wrong"
                if outcome.acted:
                    error, bad = "wrong_rule", -own
            facts = {"id": case.id, "rule_score": outcome.score, "text": judged_text(case.exchange)}
            self._add((error, case.rule, case.language), state, case.exchange, verdict, bad=bad, facts=facts)
            if violating:  # either error can be made on it
                other: Error = "false_negative" if error == "wrong_rule" else "wrong_rule"
                self._group((other, case.rule, case.language)).of += 1

    def picked(self) -> list[Picked]:
        """The groups that have errors, with the cases to list: kind by kind, rules as they came up."""
        chosen: dict[_Key, list[_Entry]] = {key: [] for key in self._groups}
        for error in ERRORS:
            queue = [
                (place, entry)
                for key, group in self._groups.items()
                if key[0] == error
                for place, entry in enumerate(group.wrong.worst_first() + group.left_open.worst_first())
            ]
            # By place in their group first: the worst of every group before the second of any.
            queue.sort(key=lambda pair: (pair[0], *(-part for part in pair[1].rank)))
            for _, entry in queue[: self.per_set]:
                chosen[entry.key].append(entry)
        listed = sum(len(found) for key, found in chosen.items() if key[0] == "false_positive")
        for entry in self._near.worst_first()[: max(0, NEAREST - listed)]:
            chosen[entry.key].append(entry)
        rules = list(dict.fromkeys(rule for _, rule, _ in self._groups))
        languages = list(dict.fromkeys(language for *_, language in self._groups))
        return [
            self._pick(key, chosen[key])
            for key in sorted(
                chosen, key=lambda k: (ERRORS.index(k[0]), rules.index(k[1]), languages.index(k[2]))
            )
            if chosen[key] or self._groups[key].made or self._groups[key].undecided
        ]

    def _pick(self, key: _Key, found: Sequence[_Entry]) -> Picked:
        error, rule, language = key
        group = self._groups[key]
        return Picked(
            ErrorGroup(
                set=self.name,
                rule=rule,
                language=language,
                error=error,
                made=group.made,
                undecided=group.undecided,
                of=group.of,
                cases=tuple(entry.case for entry in found),
            ),
            tuple(entry.exchange for entry in found),
        )

    def _group(self, key: _Key) -> _Group:
        if key not in self._groups:
            self._groups[key] = _Group()
        return self._groups[key]

    def _add(
        self,
        key: _Key,
        state: State | None,
        exchange: Exchange,
        verdict: Verdict,
        *,
        bad: float,
        facts: Mapping[str, object],
    ) -> None:
        """Count a text, and keep it if it is among the worst of its kind; state None: the guard was right."""
        group = self._group(key)
        self._seen += 1
        group.of += 1
        group.made += state == "wrong"
        group.undecided += state == "undecided"
        if state is None or (state == "near" and verdict.score is None):
            return
        kept = {"wrong": group.wrong, "undecided": group.left_open, "near": self._near}[state]
        rank = (bad, -self._seen)
        if kept.takes(rank):
            judged = set() if state == "undecided" else {rule.id for rule in judged_rules(verdict)}
            case = ErrorCase.model_validate(
                {
                    **facts,
                    "surface": exchange.surface,
                    "state": state,
                    "decision": verdict.decision,
                    "cited": tuple(rule.id for rule in verdict.cited if rule.id in judged),
                    "score": verdict.score,
                }
            )
            kept.push(_Entry(rank, case, exchange, key))


def explained(
    picked: Sequence[Picked],
    guard: Guard,
    corpus: TrainingCorpus | None,
    *,
    progress: Callable[[str, int, int], None],
) -> GuardErrors:
    """The errors of all sets, with their neighbours in the training corpus if there is one to search."""
    if corpus is None:
        return GuardErrors(groups=tuple(one.group for one in picked))
    exchanges = [exchange for one in picked for exchange in one.exchanges]
    facts, found = nearest(guard, exchanges, corpus, progress=progress)
    left = iter(found)
    groups = [
        one.group.model_copy(
            update={
                "cases": tuple(case.model_copy(update={"neighbours": next(left)}) for case in one.group.cases)
            }
        )
        for one in picked
    ]
    named = {neighbour.id for some in found for neighbour in some}
    return GuardErrors(
        groups=tuple(groups),
        neighbours=facts,
        training=tuple(text for text in corpus.texts if text.id in named),
    )


def judged_text(exchange: Exchange) -> JudgedText:
    """What was judged, and what was asked before, both cut to a length that a page can bear."""
    asked = next((m.text for m in reversed(exchange.context) if m.role is Role.USER), "")
    text = exchange.text
    return JudgedText(
        text=text[:LONGEST_TEXT], context=asked[:LONGEST_TEXT], left_out=max(0, len(text) - LONGEST_TEXT)
    )
