"""`sekisho guards`: which guards there are, and what they can judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sekisho.core import Cover, SekishoError

from .bound import PolicyOption
from .terminal import DebugOption, JsonOption, LangOption, Terminal

if TYPE_CHECKING:
    from sekisho.core import Guard, Policy

app = typer.Typer(help="List guards and what they can judge.")


@app.callback(invoke_without_command=True)
def guards(context: typer.Context) -> None:
    """List guards and what they can judge."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(
    name="list", epilog="Examples:\n\nsekisho guards list\n\nsekisho guards list --policy my-policy.md --json"
)
def list_guards(
    policy: PolicyOption = "base",
    json: JsonOption = False,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """List the registered guards, what each needs, and how many rules of a policy it covers."""
    from sekisho.guards import guard_names
    from sekisho.policy import load_policy

    terminal = Terminal(lang=lang, json=json)
    document = load_policy(policy)
    entries = [_entry(name, document.policy) for name in guard_names()]
    if json:
        terminal.document({"policy": document.policy.ref.model_dump(), "guards": entries})
        return
    from .guards_view import guards_table

    terminal.out.print(guards_table(entries, document.policy, terminal))


@app.command(
    epilog="Examples:\n\nsekisho guards show fast\n\nsekisho guards show rules --policy my-policy.md"
)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A guard's reference.", show_default=False)],
    policy: PolicyOption = "base",
    json: JsonOption = False,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """Show a guard: which rules it covers and why not, what its weights were trained on."""
    from sekisho.guards import load_guard_for
    from sekisho.policy import load_policy

    terminal = Terminal(lang=lang, json=json)
    document = load_policy(policy)
    guard = load_guard_for(name)
    facts = {
        **_facts(name.partition("?")[0], guard, document.policy),
        "name": guard.name,
        "policy": document.policy.ref.model_dump(),
        "rules": [entry.model_dump(mode="json") for entry in guard.coverage(document.policy)],
        "weights": [card.model_dump(mode="json", exclude={"files"}) for card in _cards(guard)],
    }
    if json:
        terminal.document(facts)
        return
    from .guards_view import show_guard

    show_guard(facts, document.in_language(terminal.language.value), terminal)


@app.command(epilog="Examples:\n\nsekisho guards detectors\n\nsekisho guards detectors --json")
def detectors(json: JsonOption = False, lang: LangOption = None, debug: DebugOption = False) -> None:
    """List the built-in detectors that a policy's `Detects` list may name."""
    from sekisho.guards.rules import DETECTORS

    terminal = Terminal(lang=lang, json=json)
    if json:
        terminal.document([{"name": spec.name, "finds": spec.title} for spec in DETECTORS.values()])
        return
    from .guards_view import detectors_table

    terminal.out.print(detectors_table(DETECTORS.values(), terminal))


def _entry(name: str, policy: Policy) -> dict[str, Any]:
    """What is known of a registered guard, also of one that cannot be made here."""
    from sekisho.guards import load_guard_for

    try:
        return _facts(name, load_guard_for(name), policy)
    except SekishoError as error:
        needs = ". ".join(piece for piece in (error.what, error.remedy) if piece)
        return {"name": name, "ready": False, "needs": needs, "coverage": None, "bytes": None}


def _facts(name: str, guard: Guard, policy: Policy) -> dict[str, Any]:
    coverage = guard.coverage(policy)
    return {
        "name": name,
        "ready": True,
        "needs": None,
        "coverage": {c.value: sum(entry.cover is c for entry in coverage) for c in Cover},
        "bytes": _size(name),
    }


def _size(name: str) -> int | None:
    """Bytes of the weights that come with the package under this name."""
    from sekisho.guards.embedded import WEIGHTS

    folder = WEIGHTS / name
    sizes = [file.stat().st_size for file in folder.glob("*")] if folder.is_dir() else []
    return sum(sizes) or None


def _cards(guard: Guard) -> list[Any]:
    """The cards of the weights that the guard, or the guards that it joins, run on."""
    parts = getattr(guard, "guards", (guard,))
    found = [getattr(getattr(part, "classifier", None), "artefact", None) for part in parts]
    return [card for card in found if card is not None]
