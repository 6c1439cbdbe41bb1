"""Loading: a policy by name or path, with the translations that stand beside it."""

from __future__ import annotations

from pathlib import Path

from sekisho.core import Policy, PolicyError, UnknownName, Value

from .parser import parse, raise_first, read
from .source import read_path
from .translation import Overlay, in_language

LIBRARY = Path(__file__).parent / "library"


class PolicyDocument(Value):
    """A policy with its translations and the text that it was read from."""

    policy: Policy
    overlays: dict[str, Overlay] = {}
    """Translations by language tag."""
    source: str = ""
    file: str = ""

    def in_language(self, language: str) -> Policy:
        """The policy with its text in `language`, under the same digests. A language without a
        translation gets the policy as it is."""
        return in_language(self.policy, self.overlays, language)


def load_policy(name_or_path: str | Path) -> PolicyDocument:
    """Load a policy of the library (`base`) or a Markdown file, and the translations beside it.

    `shop.md` finds `shop.ja.md`. Raises `PolicyError` (file, line, column) for a faulty document,
    `UnknownName` for a name that the library does not have.
    """
    path = locate(name_or_path)
    text = read_path(path)
    policy = parse(text, file=str(path))
    overlays: dict[str, Overlay] = {}
    for beside in translations_beside(path):
        overlay_text = read_path(beside)
        reading = read(overlay_text, file=str(beside))
        if reading.overlay is None and not reading.front.present:
            continue
        raise_first(reading.problems)
        if reading.overlay is None or reading.overlay.translation_of != policy.id:
            continue
        _check_language(reading.overlay, beside, overlays)
        overlays[reading.overlay.language] = reading.overlay
    return PolicyDocument(policy=policy, overlays=overlays, source=text, file=str(path))


def library() -> tuple[str, ...]:
    """The names of the policies that come with Sekisho."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.md") if "." not in path.stem))


def locate(name_or_path: str | Path) -> Path:
    """The file that a name or path means. Raises `UnknownName`."""
    name = str(name_or_path)
    path = Path(name_or_path)
    is_path = isinstance(name_or_path, Path) or "/" in name or "\\" in name or name.endswith(".md")
    if is_path or path.is_file():
        return path
    if name in library():
        return LIBRARY / f"{name}.md"
    raise UnknownName(
        "there is no policy of that name in the library",
        remedy=f"It has: {', '.join(library())}. A path ends with `.md` or has a `/`",
    )


def translations_beside(path: Path) -> list[Path]:
    """Files named like translations of `path`: `shop.ja.md` beside `shop.md`."""
    stem = path.name.removesuffix(".md")
    try:
        names = sorted(p.name for p in path.parent.iterdir())
    except OSError:
        return []
    return [
        path.with_name(name)
        for name in names
        if name.startswith(f"{stem}.") and name.endswith(".md") and name.count(".") == stem.count(".") + 2
    ]


def _check_language(overlay: Overlay, path: Path, overlays: dict[str, Overlay]) -> None:
    if overlay.language in overlays:
        raise PolicyError(
            f"two files translate the policy into `{overlay.language}`",
            file=str(path),
            remedy=f"Keep this one or {overlays[overlay.language].file}",
            code="translation-twice",
        )
