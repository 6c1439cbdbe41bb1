"""The labelled exchanges that a policy's examples spell."""

from __future__ import annotations

from sekisho.core import (
    Example,
    ExampleBlock,
    Exchange,
    Message,
    Policy,
    Role,
    Rule,
    ToolCall,
    Turn,
    digest_of,
)

from .notation import cited_rules

_BAD_SEVERITY = 3
_PEOPLE = ("", "all", "user")


def examples(policy: Policy) -> list[Example]:
    """One labelled exchange for every marked turn of every rule's examples.

    The turns before it are its context; of an earlier comparison, the candidate that the
    conversation goes on from: the first GOOD one, else the first. Targets speak of the example's
    own rule, or of the rules that `BAD[#other]` names. Ids depend on rule and content alone.
    """
    found: list[Example] = []
    seen: dict[str, int] = {}
    for rule in policy.rules:
        for block in rule.examples:
            for place, turn in enumerate(block.turns):
                if turn.mark is not None:
                    found.append(_example(policy, rule, block, place, seen))
    return found


def _example(policy: Policy, rule: Rule, block: ExampleBlock, place: int, seen: dict[str, int]) -> Example:
    turn = block.turns[place]
    exchange = Exchange(messages=tuple(message(t) for t in (*context(block, place), turn)))
    key = f"{policy.id}/{rule.id}/{content_key(exchange)[:12]}"
    seen[key] = seen.get(key, 0) + 1
    bad = turn.mark == "BAD"
    default = _BAD_SEVERITY if bad else 0
    return Example(
        id=key if seen[key] == 1 else f"{key}-{seen[key]}",
        exchange=exchange,
        targets=_targets(policy, rule, turn),
        violates=True if bad else None,
        severity=default if turn.severity is None else turn.severity,
        language=_language(exchange.text, policy),
        subject=block.title,
        kind="policy-example",
        origin=f"policy:{policy.id}@{policy.version}",
        license=policy.license or "",
    )


def _targets(policy: Policy, rule: Rule, turn: Turn) -> dict[str, bool]:
    cited = cited_rules(turn)
    if not cited:
        return {rule.id: turn.mark == "BAD"}
    known = {r.id for r in policy.rules}
    return {name: turn.mark == "BAD" for name in cited if name in known}


def content_key(exchange: Exchange) -> str:
    """Hash of what is said: the same for the same conversation in another policy or version."""
    return digest_of(exchange.model_dump(mode="json")).removeprefix("sha256:")


def context(block: ExampleBlock, place: int) -> list[Turn]:
    """The turns that come before the one at `place`, other candidates of its comparison left out."""
    own = block.turns[place].comparison
    chosen: dict[int, Turn] = {}
    for turn in block.turns[:place]:
        if turn.comparison is not None:
            before = chosen.setdefault(turn.comparison, turn)
            if before.mark != "GOOD" and turn.mark == "GOOD":
                chosen[turn.comparison] = turn
    return [
        turn
        for turn in block.turns[:place]
        if turn.comparison is None or (turn.comparison != own and turn is chosen[turn.comparison])
    ]


def message(turn: Turn) -> Message:
    """A turn as a message. An assistant's turn with a `recipient` is a tool call."""
    role = Role(turn.role)
    recipient = turn.attributes.get("recipient", "")
    if role is Role.ASSISTANT and recipient not in _PEOPLE:
        return Message(role=role, tool_calls=(ToolCall(name=recipient, arguments=turn.content),))
    name = turn.attributes.get("name") if role is Role.TOOL else None
    plain = Message.of(role, turn.content)
    return plain if name is None else plain.model_copy(update={"name": name})


def _language(text: str, policy: Policy) -> str:
    """The language that the script gives away, else the policy's only one in Latin script."""
    if any("\u3041" <= c <= "\u30ff" for c in text):
        return "ja"
    if any("\uac00" <= c <= "\ud7af" for c in text):
        return "ko"
    if any("\u4e00" <= c <= "\u9fff" for c in text):
        return "zh"
    latin = [tag for tag in policy.languages if tag.partition("-")[0] not in ("ja", "ko", "zh")]
    return latin[0] if len(latin) == 1 and text.isascii() else "und"
