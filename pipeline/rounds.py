"""The rounds of a traced sweep in a store: which trials come next, as its committed rows say."""

from collections.abc import Iterator
from typing import Any

from core.trainers import Trainer
from pipeline.batches import Batch, InFlight, round_batches
from pipeline.grids.grid import Grid
from pipeline.prices import Infos
from pipeline.storage.store import Store
from pipeline.tracing.tracer import Counts, Round, Tracer
from pipeline.tracing.traces import Trace


class Rounds:
    """A traced sweep, as far as its rows in a store go.

    Attributes:
        next: The trials that can be trained now; none if the boundary is traced.
    """

    def __init__(self, grid: Grid, trace: Trace, trainer: Trainer, store: Store):
        """Read what is there.

        Args:
            grid: Of which some cells are trained.
            trace: Without a problem on this grid.
            trainer: What trains them.
            store: Which has their rows.
        """
        self._grid, self._trainer, self._store = grid, trainer, store
        self._tracer = Tracer(grid, trainer, trace)
        self._read_to = 0
        self.next: Round = self._go_on()

    def _go_on(self) -> Round:
        last = self._store.last_commit
        for rows in self._store.batches("runs", self._tracer.columns, after=self._read_to):
            self._tracer.learn(rows)
        self._read_to = last
        return self._tracer.next_round()

    def batches(self, datasets: Infos, in_flight: InFlight) -> Iterator[Batch]:
        """The next round's trials.

        Args:
            datasets: Sizes of the data sets that the trials name.
            in_flight: As of `batches` of a grid.
        """
        cells, asked = self.next.cells, self.next.asked
        return round_batches(self._grid, self._trainer, datasets, cells, asked, in_flight)

    def end(self, failed: list[Any]) -> None:
        """Plan the round after this one, whose rows are committed.

        Args:
            failed: Those of its trials that cannot be trained.
        """
        for trial in failed:
            self._tracer.fail(trial)
        self.next = self._go_on()

    @property
    def counts(self) -> Counts:
        """How many trials it takes."""
        return self._tracer.counts

    @property
    def audits(self) -> list[dict[str, Any]]:
        """The audit of each panel so far, as the manifest has it."""
        return self._tracer.audits
