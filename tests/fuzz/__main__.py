"""Throws hostile files at every reader; exits with status 1 if one is not refused or read as it should be.

python -m tests.fuzz --inputs=10000
python -m tests.fuzz --kind=tiff --seed=123 --keep=folder
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.oracle import KINDS, Outcome, limit_memory, run_input, watch_code

_SHOWN = 300


def main() -> int:
    """A campaign, a part of one in this process, or one input again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=10_000, help="of all kinds together")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=sorted(KINDS), help="only this kind of input")
    parser.add_argument("--seed", type=int, help="only this input of --kind")
    parser.add_argument("--keep", type=Path, help="with --seed: leave the input in this folder")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seed is not None:
        outcome = run_input(options.kind, options.seed, options.keep)
        print(f"{outcome.verdict}: {outcome.text}")
        return int(outcome.verdict == "fault")
    if options.worker:
        return _work(options.kind, options.first, options.inputs)
    kinds = [options.kind] if options.kind else list(KINDS)
    return _campaign(kinds, options.first, options.inputs)


def _campaign(kinds: list[str], first: int, inputs: int) -> int:
    total = sum(KINDS[kind][1] for kind in kinds)
    print(f"{'reader':10}{'inputs':>8}{'refused':>9}{'accepted':>10}{'faults':>8}{'seconds':>9}")
    sums: Counter[str] = Counter()
    for kind in kinds:
        begin = time.perf_counter()
        outcomes = _run_kind(kind, first, -(-inputs * KINDS[kind][1] // total))
        counts = Counter(outcome.verdict for outcome in outcomes.values())
        sums += counts
        _row(kind, counts, time.perf_counter() - begin)
        for seed, outcome in outcomes.items():
            if outcome.verdict == "fault":
                print(f"  python -m tests.fuzz --kind={kind} --seed={seed}  # {outcome.text[:_SHOWN]}")
    _row("all", sums, 0)
    return int(sums["fault"] > 0)


def _row(name: str, counts: Counter[str], seconds: float) -> None:
    numbers = (sum(counts.values()), counts["refused"], counts["accepted"], counts["fault"])
    print(
        "{:10}{:8}{:9}{:10}{:8}".format(name, *numbers) + (f"{seconds:9.0f}" if seconds else ""), flush=True
    )


def _run_kind(kind: str, first: int, count: int) -> dict[int, Outcome]:
    """Outcomes by seed. Inputs are read in a process of their own, started anew behind one that ended it."""
    outcomes: dict[int, Outcome] = {}
    seed = first
    while seed < first + count:
        command = [sys.executable, "-m", "tests.fuzz", "--worker", f"--kind={kind}", f"--first={seed}"]
        ended = subprocess.run(
            [*command, f"--inputs={first + count - seed}"], capture_output=True, text=True,
            errors="replace", check=False,
        )  # fmt: skip
        for line in ended.stdout.splitlines():
            if line.startswith("{"):
                found = json.loads(line)
                outcomes[found["seed"]] = Outcome(found["verdict"], found["text"])
        seed = max(outcomes, default=first - 1) + 1 if outcomes and max(outcomes) >= seed else seed
        if seed < first + count:
            reason = (
                "hang" if "Timeout" in ended.stderr else f"the process ended with status {ended.returncode}"
            )
            outcomes[seed] = Outcome("fault", f"{reason}: {' '.join(ended.stderr.split())[-_SHOWN:]}")
            seed += 1
    return outcomes


def _work(kind: str, first: int, count: int) -> int:
    watch_code()
    run_input(kind, first)
    limit_memory()
    for seed in range(first, first + count):
        outcome = run_input(kind, seed)
        print("\n" + json.dumps({"seed": seed, **outcome._asdict()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
