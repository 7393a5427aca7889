"""A reader of a store that is being written: what it must never see."""

import threading
from pathlib import Path

import duckdb
import pandas as pd


class Reader:
    """Reads `runs` again and again, by pandas and every fifth time by DuckDB.

    Attributes:
        readings: How often it has read.
        disturbed: What it should not have seen: an error, a trial twice, fewer rows than before.
        vanished: Readings that listed a file and found it gone.
    """

    def __init__(self, store: Path):
        """Prepare to read a store again and again.

        Args:
            store: The store's folder, which need not exist yet.
        """
        self._runs = store / "runs"
        self.readings, self.disturbed, self.vanished = 0, [], []
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read_on)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()

    def _read_on(self):
        while not self._ended.wait(0.01):
            if not self._runs.is_dir() or not any(self._runs.iterdir()):
                continue
            read = _by_duckdb if self.readings % 5 == 4 else _by_pandas
            self.readings += 1
            try:
                rows, trials = read(self._runs)
            except (FileNotFoundError, duckdb.IOException) as error:
                gone = isinstance(error, FileNotFoundError) or "No such file" in str(error)
                (self.vanished if gone else self.disturbed).append(f"{read.__name__}: {error}")
            except Exception as error:
                self.disturbed.append(f"{read.__name__}: {type(error).__name__}: {error}")
            else:
                self._judge(rows, trials)

    def _judge(self, rows, trials):
        if rows > trials:
            self.disturbed.append(f"{rows} rows of {trials} trials")
        if rows < self._most:
            self.disturbed.append(f"{rows} rows after {self._most}")
        self._most = max(self._most, rows)


def _by_pandas(runs):
    ids = pd.read_parquet(runs, columns=["trial_id"])["trial_id"]
    return len(ids), ids.nunique()


def _by_duckdb(runs):
    with duckdb.connect() as connection:
        counted = "SELECT count(*), count(DISTINCT trial_id) FROM read_parquet(?)"
        return connection.execute(counted, [f"{runs}/*.parquet"]).fetchone()
