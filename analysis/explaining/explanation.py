"""One run, explained as a person would: what was set, what happened, and why."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.explaining.causes import Run, no_critical_rate, number, stable_rate, why
from analysis.explaining.neighbors import nearest_trained
from analysis.explaining.pytorch_lines import conventions, pytorch_lines
from analysis.explaining.remedies import remedies
from analysis.explaining.suggestions import Remedy
from analysis.reading.printing import printable
from analysis.reading.rows import by_column
from analysis.reading.stores import MissingTableError, read_layers, read_runs
from analysis.reading.thresholds import read_judged_by
from analysis.reading.views import connect
from analysis.theory.input_mean_squares import input_mean_square
from analysis.theory.plain_networks import is_plain
from core.hidden_widths import EQUAL
from core.initializers import INITIALIZERS
from core.optimization.rate_units import INVERSE_SHARPNESS, used_rates
from core.outcomes import DIVERGED
from core.results import RESULTS
from core.theory.mean_field import MeanField, mean_field
from core.trials import SETTINGS

MOST_MATCHES = 10
HANG = "  "
LINE = 78  # characters, behind an indent of two
QUOTED = ("oscillating_share",)  # thresholds that a cause's explanation mentions
PHASES = {
    "vanishing": "vanishes",
    "critical": "keeps its size, nearly",
    "exploding": "explodes",
}
ABSENT = dict.fromkeys(column.name for column in RESULTS)
LISTED = [name for name, setting in SETTINGS.items() if setting.decides != "record"]
NEIGHBOR_COLUMNS = [*LISTED, "trial_id", "outcome", "final_loss"]


class UnknownTrialError(ValueError):
    """No run, or more than one, has an id with this prefix; the message names those found."""


def find_run(store: str | Path, prefix: str) -> Run:
    """The run whose trial id begins with a prefix, by column; None for NULL.

    Besides its columns, the mapping has the run's values of the thresholds QUOTED.

    Raises:
        UnknownTrialError: There is none, or more than one.
        NotAStoreError, MissingTableError: There is no store, or no run in it.
    """
    with connect(store) as connection:
        found = connection.execute(
            "select trial_id from runs where starts_with(trial_id, ?) order by 1",
            [prefix.lower()],
        ).fetchall()
    ids = [trial_id for (trial_id,) in found]
    if not ids:
        raise UnknownTrialError(
            f"no trial id in {store} begins with {prefix!r}; "
            f'`phasesweep query {store} "select trial_id, activation, depth, outcome from runs"` '
            "lists them"
        )
    if len(ids) > 1:
        shown = ", ".join(ids[:MOST_MATCHES]) + (", ..." if len(ids) > MOST_MATCHES else "")
        raise UnknownTrialError(
            f"{len(ids):,} trial ids in {store} begin with {prefix!r}; give more digits of one: "
            f"{shown}"
        )
    rows = read_runs(store, where={"trial_id": ids[0]})
    judged_by = read_judged_by(store)
    quoted = {name: judged_by.values(rows, name) for name in QUOTED}
    return as_run(rows.assign(**quoted).iloc[0])


def as_run(row: pd.Series) -> Run:
    """One row of the runs as a mapping from column to value; None where a number does not exist.

    A column that an old store lacks is None too.
    """
    return ABSENT | {n: None if pd.isna(value) else value for n, value in by_column(row).items()}


def as_runs(rows: pd.DataFrame) -> list[Run]:
    """All rows as as_run makes them of one, in a hundredth of the time."""
    columns = [rows[name].astype(object) for name in rows.columns]
    values = [column.where(column.notna(), None).tolist() for column in columns]
    names = list(rows.columns)
    return [ABSENT | dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def explain(store: str | Path, prefix: str) -> str:
    """Explain the run whose trial id begins with a prefix; raises what find_run raises."""
    run = find_run(store, prefix)
    runs, layers = read_runs(store, NEIGHBOR_COLUMNS), layers_of(store, run)
    sections = {
        "What was set": settings_lines(run),
        "What happened": events(run),
        "Why": textwrap.wrap(why(run), LINE),
        "What theory says": _wrapped(theory_sentences(run, signal_theory(run, layers))),
        "Layer by layer": layer_lines(layers),
        "What trained nearby": neighbor_lines(run, nearest_trained(run, runs)),
        "What to do": action_lines(run, remedies(run, runs), store),
    }
    title = f"{run['trial_id']}: {run['outcome']}" + (f" by {run['cause']}" if run["cause"] else "")
    text = [title]
    for heading, lines in sections.items():
        text += ["", heading, *(f"  {line}" for line in lines)]
    return "\n".join(map(printable, text))


def layers_of(store: str | Path, run: Run) -> pd.DataFrame:
    """The run's rows of `layers`, from the inputs to the outputs; none where not measured."""
    try:
        layers = read_layers(store, where={"trial_id": run["trial_id"]})
    except MissingTableError:
        return pd.DataFrame({"layer": []})
    return layers.sort_values("layer")


def settings_lines(run: Run) -> list[str]:
    """The settings in lines; those that came later are left out if they have their defaults."""
    words = [
        f"{name} {_in_words(run[name])}"
        for name in LISTED
        if run[name] != SETTINGS[name].encoded_default
    ]
    return textwrap.wrap(", ".join(words), LINE, break_on_hyphens=False)


def events(run: Run) -> Iterator[str]:
    """The events of the training, in the order of the steps."""
    yield (
        f"step 0: the loss is {number(run['initial_loss'])}; "
        f"the best constant guess has {number(run['baseline_loss'])}"
    )
    if run["init_phase"] is not None:
        yield f"step 0: on its way back through the layers the error {_phase(run['init_phase'])}"
    if run.get("lowest_step") and run["outcome"] in DIVERGED:
        yield f"step {run['lowest_step']:.0f}: the loss is lowest, {number(run['lowest_loss'])}"
    if run["diverged_step"] is not None:
        yield f"step {run['diverged_step']:.0f}: the loss leaves its start upwards for good"
    if run["overflow_step"] is not None:
        yield f"step {run['overflow_step']:.0f}: a number leaves the floating-point range"
    early = run["outcome"] == "trained" and run["steps_run"] < run["steps"]
    why = ", trained beyond doubt (`stop: decided`)," if early else ""
    last = f"step {run['steps_run']} of {run['steps']}: the run ends{why}"
    yield last + ("" if run["final_loss"] is None else f" with loss {number(run['final_loss'])}")
    if run["final_accuracy"] is not None:
        yield f"it classifies {run['final_accuracy']:.0%} of the examples correctly"
    yield from _held_out(run)


def _held_out(run: Run) -> Iterator[str]:
    if run["test_loss"] is not None:
        count, loss = f"{run['test_examples']:,}", number(run["test_loss"])
        yield f"on {count} held-out examples its loss is {loss}"
    if run["test_accuracy"] is not None:
        yield f"it classifies {run['test_accuracy']:.0%} of the held-out examples correctly"


def _phase(name: str) -> str:
    return PHASES.get(name, f"is {name!r}, a word that this version does not know")


def _wrapped(sentences: Iterable[str], subsequent_indent: str = "") -> Iterator[str]:
    for words in sentences:
        yield from textwrap.wrap(
            words, LINE, subsequent_indent=subsequent_indent, break_on_hyphens=False
        )


def theory_sentences(run: Run, theory: MeanField | None) -> Iterator[str]:
    """chi and the depth scale for the run's inputs; the learning rate relative to the curvature.

    Args:
        run: Its settings and results.
        theory: As signal_theory returns it.
    """
    if run["depth"] == 1:
        yield "a single layer passes no signal on: nothing can vanish or explode in it"
    else:
        yield _chi(run, theory)
        if theory is not None and theory.xi_correlation is not None:
            yield (
                f"signals reach about {theory.xi_correlation:.3g} layers (xi_correlation); "
                f"this network has {run['depth']}"
            )
    critical = run["critical_learning_rate"]
    if critical is None:
        yield no_critical_rate(run)
    else:
        rate = float(used_rates(run))
        yield (
            f"learning rate {number(rate)} is {rate / critical:.3g} times {stable_rate(run)} = "
            f"{number(critical)}"
        )


def signal_theory(run: Run, layers: pd.DataFrame) -> MeanField | None:
    """The theory at the limit to which the run's inputs lead.

    Args:
        run: Its settings.
        layers: Its rows of `layers`; empty where nothing was measured.

    Returns:
        None for identity weights, for a single layer, and for a network that is not plain.
    """
    is_random = INITIALIZERS[run["initializer"]].is_random
    if run["depth"] == 1 or not is_random or not is_plain(run):
        return None
    inputs = input_mean_square(run, layers)
    return mean_field(run["activation"], run["init_scale"] ** 2, run["bias_scale"] ** 2, inputs)


def _chi(run: Run, theory: MeanField | None) -> str:
    measured = run["chi_measured"]
    if measured is None:
        words = "chi was not measured: that needs `measure: signal` and two live hidden layers"
    else:
        error = run["chi_measured_error"]
        words = f"chi measured {measured:.4g}" + ("" if error is None else f" +- {error:.2g}")
    chi = run["chi_theory"] if theory is None else theory.chi
    if chi is None:
        return f"{words}; there is no theory for such a network"
    return (
        f"{words}; at infinite width {chi:.4g}. Each layer multiplies squared gradients by chi on "
        "their way back: 1 keeps them"
    )


def layer_lines(layers: pd.DataFrame) -> list[str]:
    """The log10 norms of every layer, before and after training."""
    if layers.empty:
        return ["not measured; `measure: signal` does that"]
    columns = ["log10_mean_square_h", "log10_delta_norm", "log10_gradient_norm"]
    head = (
        f"{'log10 of':<8}{'mean h^2 forward':>18}{'|delta| backward':>18}{'|dLoss/dW|':>18}\n"
        f"{'layer':<8}" + f"{'start':>9}{'end':>9}" * 3
    )
    rows = []
    for _, layer in layers.iterrows():
        pairs = [layer[f"{stage}{name}"] for name in columns for stage in ("", "final_")]
        cells = "".join(f"{'none' if pd.isna(each) else f'{each:.2f}':>9}" for each in pairs)
        rows.append(f"{layer['layer']:<8}{cells}")
    return [*head.split("\n"), *rows]


def neighbor_lines(run: Run, neighbors: pd.DataFrame) -> Iterator[str]:
    """The nearest trained runs, each with the settings in which it differs."""
    if neighbors.empty:
        yield "nothing else in this store trained"
    for _, row in neighbors.iterrows():
        changed = ", ".join(changes(run, {name: row[name] for name in row["changed"]}))
        words = f"{row['trial_id']}  loss {row['final_loss']:.3g}  with {changed}"
        yield from _wrapped([words], HANG)


def action_lines(run: Run, suggested: list[Remedy], store: str | Path) -> Iterator[str]:
    """What to change, as settings and as lines of PyTorch."""
    if not suggested:
        yield no_action(run)
        return
    for remedy in suggested:
        words = f"{', '.join(changes(run, remedy.changes))}: {remedy.reason}"
        yield from _wrapped([words], HANG)
        for line in pytorch_lines({**run, **remedy.changes}, remedy.changes):
            yield HANG + line
    yield from _wrapped([conventions({**run, **suggested[0].changes})])
    for remedy in wanting_a_rate(run, suggested):
        yield from _wrapped([RATE_WANTED])
        yield from (HANG + line for line in rate_command({**run, **remedy.changes}, store))


def no_action(run: Run) -> str:
    """Why nothing is to be done about a run."""
    trained = run["outcome"] == "trained"
    return "nothing: it trained" if trained else "this version knows no remedy for it"


def wanting_a_rate(run: Run, suggested: list[Remedy]) -> list[Remedy]:
    """The first remedy that wants another learning rate, of those that `advise` knows.

    None if the rate has the start's own unit, or hidden layers differ in width.
    """
    equal = (run.get("hidden_widths") or EQUAL) == EQUAL
    if run.get("learning_rate_unit") == INVERSE_SHARPNESS or not equal:
        return []
    return [remedy for remedy in suggested if remedy.needs_a_rate][:1]


RATE_WANTED = (
    "Another start or network wants another learning rate. This names one, or the twelve "
    "trainings that would find it:"
)


def rate_command(settings: Run, store: str | Path) -> Iterator[str]:
    """The lines of the command that finds a learning rate for settings."""
    options = [f"--{name} {settings[name]}" for name in ("activation", "depth", "width", "dataset")]
    yield f"phasesweep advise {' '.join(options[:3])} \\"
    yield f"    {options[3]} --store {store}"


def changes(run: Run, changed: Mapping[str, Any]) -> list[str]:
    """Each changed setting, with its old and its new value."""
    return [f"{n} {_in_words(run[n])} -> {_in_words(value)}" for n, value in changed.items()]


def _in_words(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
