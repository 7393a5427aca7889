"""The fault suite: faults injected into real sweeps, which must end as if undisturbed.

    make faults                                  all of them, about half an hour
    python -m tests.faults "disk full" ...       some

Prints a table and writes it to benchmarks/faults.json. Exit code 1 if a row of any table was
lost or doubled, a reader disturbed, or anything else was not as it should be. Moments are
random, from a fixed seed.
"""

import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

# A local Ray takes the token it finds here; without one it would write into the home folder.
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

from tests.faults.injections import FAULTS, SkippedError, compaction_killed
from tests.faults.stores import ROOT
from tests.faults.suite import MissedError, Suite

RESULTS = ROOT / "benchmarks" / "faults.json"
COUNTS = ("times", "rows lost", "rows doubled", "readers disturbed", "other")


def main(names):
    """Inject the named faults, or all; returns the exit code."""
    rows = {}
    print(f"{'fault':<24}" + "".join(f"{name:>19}" for name in COUNTS))
    with tempfile.TemporaryDirectory() as folder, Suite(Path(folder)) as suite:
        for name in names or FAULTS:
            rows[name] = row = injected(suite, *FAULTS[name])
            print(f"{name:<24}" + "".join(f"{row[count]:>19}" for count in COUNTS), flush=True)
            print("".join(f"  {note}\n" for note in row["notes"]), end="", flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    return int(any(row[count] for row in rows.values() for count in COUNTS[1:]))


def injected(suite, inject, times):
    """A row of the table: a fault injected so many times."""
    try:
        found = [inject_once(suite, inject, number) for number in range(times)]
    except SkippedError as reason:
        return {**dict.fromkeys(COUNTS, 0), "notes": [f"skipped: {reason}"]}
    readings, vanished = sum(one.readings for one in found), sum(len(one.vanished) for one in found)
    notes = [note for one in found for note in (*one.disturbed, *one.other)]
    disturbed = sum(len(one.disturbed) for one in found)
    if inject is compaction_killed:
        notes.append(f"{vanished} of {readings} readings listed a file and found it merged away")
    else:
        disturbed += vanished
        notes += [note for one in found for note in one.vanished]
    return {
        "times": times,
        "rows lost": sum(one.lost for one in found),
        "rows doubled": sum(one.doubled for one in found),
        "readers disturbed": disturbed,
        "other": sum(len(one.other) for one in found),
        "readings": readings,
        "readings that found a file gone": vanished,
        "notes": notes,
    }


def inject_once(suite, inject, number):
    """One injection; where a run was over before its fault, another one."""
    while True:
        try:
            return inject(suite, number)
        except MissedError:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
