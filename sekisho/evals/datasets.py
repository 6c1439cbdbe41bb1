"""Public evaluation sets: what they measure, and how their rows become examples.

A set is one file `DIR/eval/NAME.jsonl.gz`, one JSON object a line:

    id, text | messages, kind (prompt | response | injection | dialogue), label (1 | 0 | null), lang, license,
    category

The labels come from the set, not from our policy. Files are streamed; no set is held in memory.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import ValidationError

from sekisho.core import Example, Exchange, InputError, Role, Value
from sekisho.guards.bound import to_exchange

Measures = Literal["prompts", "responses", "injection", "benign", "hate", "rules", "unknown"]
"""What a set is good for: harmful requests, harmful answers, prompt injection, over-flagging (harmless
texts only), stand-alone hateful posts, the rules of the policy one by one."""

LONGEST_LINE = 16 * 1024 * 1024
"""Octets; a longer line is an error, so that memory stays bounded whatever the file."""
_SUFFIX = ".jsonl.gz"
_LANGUAGES = {"Filipino/Tagalog": "tl"}
"""Names that stand in sets where a code should."""


class SetInfo(Value):
    """What is known about a set before it is read."""

    name: str
    title: str
    measures: Measures = "unknown"
    reporting_only: bool = False
    """Non-commercial licence or one in doubt: figures may be reported, nothing may be trained on it."""
    note: str = ""


class SetCount(Value):
    """How many rows a set has, by label."""

    positives: int = 0
    negatives: int = 0
    unlabelled: int = 0
    """Rows whose label is null: they are left out."""

    @property
    def labelled(self) -> int:
        return self.positives + self.negatives


def _known(measures: Measures, *sets: tuple[str, str] | tuple[str, str, str]) -> dict[str, SetInfo]:
    return {
        entry[0]: SetInfo(
            name=entry[0], title=entry[1], measures=measures, note=entry[2] if len(entry) > 2 else ""
        )
        for entry in sets
    }


KNOWN_SETS: dict[str, SetInfo] = {
    **_known(
        "prompts",
        ("toxicchat_test", "ToxicChat test", "real chats; 'toxic' is narrower than 'violates'"),
        ("openai_moderation", "OpenAI Moderation", "stand-alone texts, not only requests"),
        ("simplesafetytests", "SimpleSafetyTests", "harmful only: F1 follows from recall alone"),
        ("harmbench_prompt", "HarmBench prompts", "harmful only: F1 follows from recall alone"),
        ("harmbench_behaviors", "HarmBench behaviours", "harmful only; overlaps with the prompts"),
        ("strongreject", "StrongREJECT", "harmful only"),
        ("advbench", "AdvBench", "harmful only; narrow and repetitive"),
        ("jailbreakbench", "JailbreakBench", "100 harmful behaviours and 100 harmless twins"),
        ("xstest", "XSTest", "250 harmless prompts with alarming words, 200 harmful contrasts"),
        ("multijail", "MultiJail", "harmful only; 315 prompts in ten languages"),
    ),
    **_known(
        "responses",
        ("beavertails_test", "BeaverTails test", "licence in doubt between sources"),
        ("harmbench_response", "HarmBench responses"),
        ("pyrit_harm_scores", "PyRIT harm scores", "people's severity scores, cut at the set's own label"),
        ("square_responses_ood", "SQuARe answers", "Korean; 'sensitive' is wider than 'violates'"),
    ),
    **_known(
        "injection",
        ("deepset_prompt_injections", "deepset prompt injections"),
        ("injecagent", "InjecAgent", "instructions inside what a tool returned"),
        ("cse_prompt_injection", "CyberSecEval injection"),
        ("cse_prompt_injection_multi", "CyberSecEval injection, multilingual"),
        ("agentdojo_injections", "AgentDojo goals", "bare goals without an attack around them"),
    ),
    **_known(
        "benign",
        ("notinject", "NotInject", "harmless, with the trigger words of injections"),
        ("cse_frr", "CyberSecEval FRR", "harmless requests about security"),
        ("cse_frr_multi", "CyberSecEval FRR, multilingual", "harmless requests about security"),
        ("truthfulqa", "TruthfulQA questions"),
        ("arena_hard", "Arena-Hard"),
        ("mtbench", "MT-Bench"),
        ("ja_mtbench", "Japanese MT-Bench"),
    ),
    **_known(
        "hate", ("multilingual_hatecheck", "Multilingual HateCheck", "templated posts in eleven languages")
    ),
}
for _name in ("toxicchat_test", "beavertails_test"):  # CC-BY-NC-4.0; conflicting statements, so as NC
    KNOWN_SETS[_name] = KNOWN_SETS[_name].model_copy(update={"reporting_only": True})


class EvalSet:
    """One set. Iterating reads its labelled rows anew each time, as `Example` values."""

    def __init__(
        self, info: SetInfo, *, path: Path | None = None, examples: Sequence[Example] | None = None
    ) -> None:
        if (path is None) == (examples is None):
            raise ValueError("a set has either a path or examples")
        self.info = info
        self.path = path
        self._examples = examples
        self._count: SetCount | None = None

    @classmethod
    def of(cls, name: str, examples: Iterable[Example], *, measures: Measures = "unknown") -> EvalSet:
        """A set made of examples at hand; those whose `violates` is None are left out."""
        info = KNOWN_SETS.get(name, SetInfo(name=name, title=name, measures=measures))
        return cls(info, examples=tuple(examples))

    @property
    def name(self) -> str:
        return self.info.name

    def __iter__(self) -> Iterator[Example]:
        return (example for example in self._rows() if example.violates is not None)

    def count(self) -> SetCount:
        """The rows by label: one pass over the file, remembered."""
        if self._count is None:
            seen = {True: 0, False: 0, None: 0}
            for example in self._rows():
                seen[example.violates] += 1
            self._count = SetCount(positives=seen[True], negatives=seen[False], unlabelled=seen[None])
        return self._count

    def _rows(self) -> Iterator[Example]:
        return iter(self._examples) if self.path is None else read_examples(self.path)  # type: ignore[arg-type]


def eval_sets(folder: str | Path, *, names: Iterable[str] | None = None) -> list[EvalSet]:
    """Every set in `folder/eval`, or those of these names, in the order of their files.

    Sets that are not in `KNOWN_SETS` work too. Raises `InputError` when there is no such folder, or
    no set of a name asked for.
    """
    place = Path(folder) / "eval"
    files = {path.name.removesuffix(_SUFFIX): path for path in sorted(place.glob(f"*{_SUFFIX}"))}
    if not files:
        raise InputError(
            "there is no evaluation set here",
            where=str(place),
            remedy=f"Name a folder that holds eval/*{_SUFFIX}",
        )
    wanted = list(files) if names is None else list(names)
    unknown = [name for name in wanted if name not in files]
    if unknown:
        raise InputError(
            f"there is no set {unknown[0]!r}", where=str(place), remedy=f"There are: {', '.join(files)}"
        )
    return [
        EvalSet(KNOWN_SETS.get(name, SetInfo(name=name, title=name)), path=files[name]) for name in wanted
    ]


def read_examples(path: Path) -> Iterator[Example]:
    """The rows of one gzipped file as examples, unlabelled ones (`violates` None) among them.

    Raises `InputError` naming file and line, never the text.
    """
    name = path.name.removesuffix(_SUFFIX)
    number = 0
    try:
        with gzip.open(path, "rb") as stream:
            for number, line in enumerate(_lines(stream, path), start=1):
                if line.strip():
                    yield _example(line, name, where=f"{path}:{number}")
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise InputError(f"cannot be opened: {error.strerror}", where=str(path)) from None
        raise InputError(
            "the gzip data are damaged or cut off",
            where=f"{path}:{number + 1}",
            remedy="Fetch the file again",
        ) from None


def _lines(stream: IO[bytes] | gzip.GzipFile, path: Path) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise InputError(f"the line is longer than {LONGEST_LINE} octets", where=f"{path}:{number}")
        yield line


def _example(line: bytes, name: str, *, where: str) -> Example:
    try:
        row = json.loads(line)
    except ValueError:  # also UnicodeDecodeError
        raise InputError("the line is not JSON", where=where) from None
    if not isinstance(row, dict):
        raise InputError("the line is not a JSON object", where=where)
    label = row.get("label")
    if label is not None and label not in (0, 1):
        raise InputError("`label` has to be 1, 0 or null", where=where)
    severity = row.get("severity")
    language = str(row.get("lang") or row.get("language") or "und")
    try:
        return Example(
            id=str(row.get("id") or where.rpartition(":")[2]),
            exchange=_exchange(row),
            violates=None if label is None else bool(label),
            severity=severity if isinstance(severity, int) and 0 <= severity <= 4 else None,
            language=_LANGUAGES.get(language, language),
            subject=_category(row.get("category")),
            kind=str(row.get("kind") or ""),
            origin=name,
            license=str(row.get("license") or ""),
            split="eval",
        )
    except InputError as error:
        raise InputError(error.what, where=where, remedy=error.remedy) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(piece) for piece in first["loc"])
        raise InputError(f"{field}: {first['msg']}", where=where) from None


def _category(found: Any) -> str:
    """Several are separated by a bar, as some sets do; others have lists, or lists as Python prints them."""
    if isinstance(found, str) and found.startswith("['") and found.endswith("']"):
        found = found[2:-2].split("', '")
    return "|".join(map(str, found)) if isinstance(found, list) else str(found or "")


def _exchange(row: Mapping[str, Any]) -> Exchange:
    """Prompts and injections stand alone as what a user wrote, answers as what an assistant wrote;
    conversations are taken as they are and judged by their last message."""
    messages, text, kind = row.get("messages"), row.get("text"), row.get("kind")
    if kind not in (None, "", "prompt", "response", "injection", "dialogue"):
        raise InputError("`kind` has to be prompt, response, injection or dialogue")
    if messages is not None:
        if not isinstance(messages, list) or not messages:
            raise InputError("`messages` has to be a list of messages")
        return to_exchange(messages)
    if not isinstance(text, str):
        raise InputError("there is neither `text` nor `messages`")
    return Exchange.of(text, role=Role.ASSISTANT if kind == "response" else Role.USER)
