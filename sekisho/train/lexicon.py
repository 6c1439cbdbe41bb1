"""The normaliser's list of English words, counted in the training sets.

    python -m sekisho.train.lexicon --data DIR        # DIR with train/; writes normalise/english.txt

A word is kept when it stands in at least `SETS` of the sets and `TIMES` times in all: that leaves out names,
typos and what one author is fond of. Only the words are kept, no counts and no text.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import Counter
from pathlib import Path

OUT = Path(__file__).parent.parent / "guards" / "normalise" / "english.txt"
SETS = 5
TIMES = 25
MOST = 9000
WORD = re.compile(r"(?<![A-Za-z0-9'])[a-z]{3,18}(?![A-Za-z0-9'])")


def words_of(path: Path) -> Counter[str]:
    """Lower-case words of one set's English rows. Each text counts a word once."""
    counts: Counter[str] = Counter()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row.get("lang") != "en":
                continue
            text = row.get("text") or " ".join(m["content"] for m in row.get("messages", ()))
            counts.update(set(WORD.findall(text)))
    return counts


def main() -> None:
    """Count, keep, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    times: Counter[str] = Counter()
    sets: Counter[str] = Counter()
    for path in sorted((parser.parse_args().data / "train").glob("*.jsonl.gz")):
        counts = words_of(path)
        times.update(counts)
        sets.update(counts.keys())
    kept = [word for word, n in times.most_common() if n >= TIMES and sets[word] >= SETS][:MOST]
    OUT.write_text("\n".join(sorted(kept)) + "\n", encoding="ascii")
    print(f"{len(kept)} words of {len(times)} -> {OUT}")


if __name__ == "__main__":
    main()
