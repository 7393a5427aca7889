"""The fault suite: faults injected into real sweeps, which must end as if undisturbed.

    make faults                                           all of them, about half an hour
    python -m tests.faults --times 1 "disk full" ...      some, each so often

Prints a table and writes it to benchmarks/faults.json: the rows of all tables that were lost or
doubled, the runs that took longer than their limit (hung), the readings that were disturbed, and
whatever else was not as it should be. Exit code 1 if there was any of that. Moments are random,
from a fixed seed.
"""

import argparse
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

# A local Ray takes the token it finds here; without one it would write into the home folder.
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

from tests.faults.injections import FAULTS, compaction_killed
from tests.faults.stores import ROOT, HungError, kill_commands
from tests.faults.suite import Injected, MissedError, SkippedError, Suite

RESULTS = ROOT / "benchmarks" / "faults.json"
COUNTS = ("times", "lost", "doubled", "hung", "disturbed", "other")


def main():
    """Inject the named faults, or all; returns the exit code."""
    options = _options()
    rows = {}
    print(_line("fault", {count: count for count in COUNTS}))
    with tempfile.TemporaryDirectory() as folder, Suite(Path(folder)) as suite:
        for name in options.faults or FAULTS:
            inject, times = FAULTS[name]
            rows[name] = row = injected(suite, inject, options.times or times)
            print(_line(name, row), *(f"  {note}" for note in row["notes"]), sep="\n", flush=True)
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    return int(any(row[count] for row in rows.values() for count in COUNTS[1:]))


def _options():
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--times", type=int, help="how often each; by default as the table says")
    options = parser.parse_args()
    if unknown := set(options.faults) - set(FAULTS):
        parser.error(f"no fault {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    return options


def _line(name, row):
    """A line of the table."""
    return f"{name:<24}" + "".join(f"{row[count]:>{len(count) + 2}}" for count in COUNTS)


def injected(suite, inject, times):
    """A row of the table: a fault injected so many times."""
    try:
        found = [inject_once(suite, inject, number) for number in range(times)]
    except SkippedError as reason:
        return {**dict.fromkeys(COUNTS, 0), "notes": [f"skipped: {reason}"]}
    readings, vanished = sum(one.readings for one in found), sum(len(one.vanished) for one in found)
    notes = [note for one in found for note in (*one.hung, *one.disturbed, *one.other)]
    disturbed = sum(len(one.disturbed) for one in found)
    if inject is compaction_killed:
        notes.append(f"{vanished} of {readings} readings listed a file and found it merged away")
    else:
        disturbed += vanished
        notes += [note for one in found for note in one.vanished]
    return {
        "times": times,
        "lost": sum(one.lost for one in found),
        "doubled": sum(one.doubled for one in found),
        "hung": sum(len(one.hung) for one in found),
        "disturbed": disturbed,
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
        except HungError as error:
            suite.replace_cluster()
            return Injected(hung=[str(error)])
        finally:
            kill_commands()


if __name__ == "__main__":
    sys.exit(main())
