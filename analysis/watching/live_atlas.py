"""The atlas of a store that is being written, made anew when a commit has come."""

from dataclasses import dataclass, replace
from html import escape
from importlib import import_module
from pathlib import Path
from threading import Event
from time import monotonic

from analysis.reading.stores import (
    DamagedTableError,
    MissingTableError,
    read_manifest,
    table_dataset,
)

LOOK_SECONDS = 1.0  # between two looks at the manifest
# Times as long as a page took to make, until the next: the processors are the sweep's.
REST = 2.0


@dataclass(frozen=True)
class Moment:
    """What there is to see of a store.

    Attributes:
        commit: The last one that the page shows; None where there is no page yet.
        words: How far the store is, or why there is no newer page.
        page: The atlas, as HTML.
    """

    commit: int | None = None
    words: str = "no trainings yet; the first come after some seconds"
    page: str = ""


class LiveAtlas:
    """The newest atlas of a store; one thread follows the store, others read `now`.

    Args:
        store: Its folder or URL.
        trained_level: As of analysis.tables.judgments.read_judged.
    """

    def __init__(self, store: str | Path, trained_level: float | None = None):
        self._store, self._trained_level = store, trained_level
        self._seen: int | None = None
        self._count, self._came = 0, monotonic()
        self.now = Moment()

    def refresh(self) -> bool:
        """Make the page anew if a commit has come since; True if it did.

        Raises:
            NotAStoreError: The store has gone.
        """
        commit = read_manifest(self._store).get("last_commit", 0)
        if commit == self._seen:
            self._say_if_quiet()
            return False
        try:
            count = table_dataset(self._store, "runs").count_rows()
            page = self._page()
        except MissingTableError:
            return False
        except (DamagedTableError, OSError):
            # A file may have been merged away while it was read: the next look finds the others.
            return False
        except ValueError as error:
            self._seen = commit
            self.now = Moment(self.now.commit, str(error), self.now.page)
            return False
        self._seen, self._count, self._came = commit, count, monotonic()
        self.now = Moment(commit, f"{count:,} trainings so far", page)
        return True

    def _say_if_quiet(self) -> None:
        minutes = int((monotonic() - self._came) / 60)
        if minutes and self.now.commit == self._seen:
            since = "minute" if minutes == 1 else f"{minutes:,} minutes"
            words = f"{self._count:,} trainings; none has come in the last {since}"
            self.now = replace(self.now, words=words)

    def _page(self) -> str:
        from analysis.atlas.page import atlas

        command = f"phasesweep report {self._store}"
        later = f"<p>Figures take longer to draw: <code>{escape(command)}</code> has them.</p>"
        return atlas(self._store, self._trained_level, figures=later)

    def follow(self, stop: Event) -> None:
        """Refresh the page until the event is set; raises what refresh raises."""
        import_module("analysis.atlas.page")  # takes seconds: while the first trainings run
        wait = 0.0
        while not stop.wait(wait):
            began = monotonic()
            made = self.refresh()
            wait = max(LOOK_SECONDS, REST * (monotonic() - began) if made else 0.0)
