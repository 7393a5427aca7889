"""The atlas: packed numbers that are the store's, a page that loads nothing, words escaped."""

import base64
import gzip
import io
import json
import re
from html import escape

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from typer.testing import CliRunner

from analysis.atlas.data import CURVE_STEPS, atlas_data
from analysis.atlas.packing import MISSING, TYPES, differences, pack, quantized, rounded
from analysis.atlas.page import atlas
from analysis.atlas.pictures import DARK_PAGE, light_and_dark
from analysis.atlas.profiles import LAYER_STEPS
from analysis.atlas.words import NOWHERE
from analysis.atlas.words import packed as packed_words
from analysis.claims.argument import judge
from analysis.explaining.explanation import explain
from analysis.reading.stores import read_curves, read_layers, read_runs
from analysis.tables.judgments import read_judged
from analysis.tables.map_cells import read_map
from analysis.tables.views import View
from pipeline.cli import app


def unpacked(text):
    """What the page's script reads: the header, and its columns as arrays."""
    data = gzip.decompress(base64.b64decode(text))
    size = int.from_bytes(data[:4], "little")
    header, offset, columns = json.loads(data[4 : 4 + size]), 4 + size, {}
    for about in header["columns"]:
        kind = np.dtype(TYPES[about["type"]])
        stop = offset + about["length"] * kind.itemsize
        planes = np.frombuffer(data[offset:stop], np.uint8).reshape(kind.itemsize, -1)
        columns[about["name"]] = np.ascontiguousarray(planes.T).view(kind).ravel()
        offset = stop
    assert offset == len(data)
    return header, columns


@pytest.fixture(scope="module")
def packed(store):
    """The page's header and columns, as its script finds them."""
    return unpacked(pack(*atlas_data(store)))


@pytest.fixture
def ordered(packed, runs):
    """The store's runs in the page's order."""
    ids = packed[0]["ids"]
    return runs.set_index(runs["trial_id"].str[: len(ids[0])]).loc[ids].reset_index(drop=True)


def test_every_column_type_comes_back():
    """Bytes grouped by significance are put together again."""
    columns = {name: np.array([0, 1, 7], kind) for name, kind in TYPES.items()}
    header, back = unpacked(pack({"store": "a"}, columns))
    assert header["store"] == "a"
    for name, column in columns.items():
        np.testing.assert_array_equal(back[name], column)


def test_numbers_are_packed_to_four_digits():
    """And what no float32 or quantity can hold is not made up."""
    values = np.array([1 / 3, -7e-20, 0, np.nan, np.inf, 1e300])
    np.testing.assert_allclose(rounded(values[:3]), values[:3], rtol=3e-4)
    assert np.isnan(rounded(values)[3])
    assert np.isposinf(rounded(values)[4:]).all()
    assert list(quantized(values, 100)) == [33, 0, 0, MISSING, 32767, 32767]


def test_differences_wrap_around():
    """Adding them up again gives each series, missing numbers included."""
    series = np.array([32000, MISSING, 5, -32000, 32000], np.int16)
    lengths = [3, 2]
    steps = differences(series, lengths)
    with np.errstate(over="ignore"):
        again = [np.cumsum(part, dtype=np.int16) for part in np.split(steps, [3])]
    np.testing.assert_array_equal(np.concatenate(again), series)


def test_settings_and_measures_are_the_stores(packed, ordered):
    """Every run's, by the codes of its settings."""
    header, columns = packed
    for setting in header["settings"]:
        values = np.array(setting["values"])[columns[f"setting {setting['name']}"]]
        assert list(values) == list(ordered[setting["name"]])
    loss = 10 ** columns["measure final_loss"].astype(float)
    np.testing.assert_allclose(loss, ordered["final_loss"].astype(float), rtol=0.05)
    chi = 10 ** columns["measure chi_measured"].astype(float)
    np.testing.assert_allclose(chi, ordered["chi_measured"].astype(float), rtol=1e-3)
    outcomes = [header["regions"][region]["outcome"] for region in columns["region"]]
    assert outcomes == list(ordered["outcome"])


def test_loss_curves_are_the_stores(packed, ordered, store):
    """Each within half a percent, at the same steps."""
    header, columns = packed
    curves = read_curves(store).set_index("trial_id")
    start = 0
    for run, pattern in enumerate(columns["pattern"]):
        steps = header["patterns"][pattern]
        part = columns["curve"][start : start + len(steps)]
        start += len(steps)
        log10 = np.cumsum(part, dtype=np.int16) / CURVE_STEPS
        curve = curves.loc[[ordered["trial_id"][run]]].sort_values("step")
        assert steps == list(curve["step"])
        known = curve["loss"].notna().to_numpy()
        expected = np.log10(curve["loss"].to_numpy()[known])
        np.testing.assert_allclose(log10[known], expected, atol=0.6 / CURVE_STEPS)


def test_layer_profiles_are_the_stores(packed, ordered, store):
    """Runs that share a start share its profile."""
    _, columns = packed
    starts = np.cumsum([0, *columns["profile depth"]])
    layers = read_layers(store).set_index("trial_id")
    for run in range(0, len(ordered), 7):
        place = columns["profile"][run]
        part = columns["profile log10_delta_norm"][starts[place] : starts[place + 1]]
        own = layers.loc[[ordered["trial_id"][run]]].sort_values("layer")["log10_delta_norm"]
        np.testing.assert_allclose(part / LAYER_STEPS, own, atol=0.6 / LAYER_STEPS)
    assert len(columns["profile depth"]) < len(ordered) / 4


def words_of(header, columns, section, run):
    """What the page's script makes of a run's pattern and numbers."""
    code = columns[f"pattern of {section}"]
    lines = columns[f"numbers of {section}"].tobytes().decode().split("\n")
    patterns = header["words"][section]
    counts = np.bincount(code, minlength=len(patterns))
    gaps = [pattern.count("\0") for pattern in patterns]
    start = sum(int(n) * gap for n, gap in zip(counts[: code[run]], gaps, strict=False))
    rank = int((code[:run] == code[run]).sum())
    numbers = [lines[start + gap * counts[code[run]] + rank] for gap in range(gaps[code[run]])]
    first, *rest = patterns[code[run]].split("\0")
    return first + "".join(n + part for n, part in zip(numbers, rest, strict=True))


def test_the_words_are_those_of_explain(packed, ordered, store):
    """Every paragraph of the page stands in what the command prints of the run."""
    header, columns = packed
    for run in range(0, len(ordered), 5):
        printed = " ".join(explain(store, ordered["trial_id"][run]).split())
        for section in ("why", "happened", "theory"):
            for paragraph in words_of(header, columns, section, run).split("\x1e"):
                assert " ".join(paragraph.split()) in printed
        near = columns["nearest"][run]
        named = None if near == NOWHERE else (header["ids"][near], ordered["trial_id"][near])
        for part in words_of(header, columns, "actions", run).split("\x1d"):
            first, *others = part.split("\x1e")
            for paragraph in [first.replace("\n", ", "), *others]:
                whole = paragraph if named is None else paragraph.replace(*named)
                assert " ".join(whole.split()) in printed


def test_texts_without_a_number_are_packed_too():
    """Patterns alone, with nothing to fill in."""
    patterns, code, numbers = packed_words(["a", "b 1,000 of 2e-05", "a", "b 3 of 4"])
    assert (patterns, list(code)) == (["a", "b \0 of \0"], [0, 1, 0, 1])
    assert numbers.tobytes() == b"1,000\n3\n2e-05\n4"
    assert packed_words(["\u0663"])[0] == ["\u0663"]  # a digit, but none that Python writes


def test_the_line_of_chi_lies_where_theory_has_it(packed, ordered):
    """Below it chi is below 1, above it above."""
    header, columns = packed
    ratio, chi = columns["measure scale_ratio"], columns["measure chi_theory"]
    assert np.isfinite(ratio).all()
    np.testing.assert_array_equal(ratio > 0, chi > 0)
    relu = (ordered["activation"] == "relu").to_numpy()
    np.testing.assert_allclose(
        10 ** ratio[relu].astype(float), ordered["init_scale"][relu] / 2**0.5, rtol=1e-3
    )
    assert "scale_ratio" in {measure["name"] for measure in header["measures"]}


@pytest.fixture
def figure():
    """Words and a dark line on white, a cell of a color, a white marker."""
    figure = Figure(figsize=(2, 2))
    panel = figure.subplots()
    panel.plot([0, 1], [0, 1], color="#440154", markerfacecolor="white", marker="o")
    panel.add_patch(Rectangle((0, 0), 1, 1, facecolor="#3d0f14"))
    panel.set_title("words")
    return figure


def light_of(color):
    return np.array(to_rgba(color)[:3]) @ [0.2126, 0.7152, 0.0722]


def test_a_figure_has_a_picture_for_dark_screens(figure):
    """Its page is the screen's, its words and lines are light, its cells are what they were."""
    light, dark = (
        np.array(Image.open(io.BytesIO(base64.b64decode(each))).convert("RGB"))
        for each in light_and_dark(figure)
    )
    assert light.shape == dark.shape
    np.testing.assert_allclose(light[0, 0], 255, atol=4)
    np.testing.assert_allclose(dark[0, 0], 255 * np.array(to_rgba(DARK_PAGE)[:3]), atol=4)
    (panel,) = figure.axes
    assert light_of(panel.title.get_color()) > 0.8
    assert light_of(panel.lines[0].get_color()) > 0.3
    assert to_hex(panel.lines[0].get_markerfacecolor()) == DARK_PAGE
    assert to_hex(panel.patches[0].get_facecolor()) == "#3d0f14"


def report(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_the_page_loads_nothing_and_escapes_words(hostile_page):
    """No address but the namespace of SVG, no markup from the store."""
    page = re.sub(r'<script type="application/gzip".*?</script>', "", hostile_page.read_text())
    page = re.sub(r"data:image/png;base64,[\w+/=]+", "", page)
    assert set(re.findall(r"https?://[^\"'\s]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|iframe|object|embed)\b", page)
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror" in page


def test_the_page_has_the_figures_the_store_has_numbers_for(store, tmp_path, monkeypatch):
    """Pictures with their names, and why the others are missing; the path is all of stdout."""
    monkeypatch.setattr("analysis.figures.gallery.SHOWN", ("stability_map", "edge_of_stability"))
    out = tmp_path / "pages" / "small.html"
    done = report(store, "--out", out)
    assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    page = out.read_text()
    assert page.count('<img alt="Stability map" src="data:image/png;base64,iVBOR') == 1
    assert page.count('srcset="data:image/png;base64,iVBOR') == page.count("<img ")
    assert "Figures that this store has no numbers for" in page
    assert 2_000_000 < len(page) < 4_000_000


def test_only_a_page_is_written(store, tmp_path):
    """Exit code 2 for another kind of file, before any work."""
    failed = report(store, "--out", tmp_path / "atlas.pdf")
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert "--out must end in .html" in failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    """Exit code 2, with the remedy."""
    failed = report(tmp_path, "--out", tmp_path / "atlas.html")
    assert failed.exit_code == 2
    assert "is no phasesweep store" in failed.stderr


def test_a_store_of_losses_alone_has_a_page(make_store, runs):
    """No layers, no curves, no NULL-free column: what is missing is left out."""
    unmeasured = runs.assign(chi_measured=np.nan, sharpness=np.nan, critical_learning_rate=np.nan)
    header, columns = atlas_data(make_store(unmeasured))
    assert "sharpness" not in {measure["name"] for measure in header["measures"]}
    assert header["patterns"] == []
    assert "profile" not in columns
    pd.testing.assert_series_equal(
        pd.Series(header["ids"]).str.len().drop_duplicates(), pd.Series([8]), check_names=False
    )


def test_the_page_of_a_view(store, tmp_path, monkeypatch):
    """Only the runs asked for; the settings lie where asked; the figures' commands say it, too."""
    monkeypatch.setattr("analysis.figures.gallery.SHOWN", ("stability_map",))
    out = tmp_path / "atlas.html"
    asked = ("--where", "depth=12", "--where", "learning_rate<1", "--y", "seed", "--rows", "depth")
    assert report(store, "--out", out, *asked).exit_code == 0
    page = out.read_text()
    assert "Of the store&#x27;s runs only those with depth=12, learning_rate&lt;1 are here." in page
    command = (
        "--where &#x27;depth=12&#x27; --where &#x27;learning_rate&lt;1&#x27; --y seed --rows depth"
    )
    assert f"stability_map {store} {command}</code>" in page
    view = View(("depth=12", "learning_rate<1"), y="seed", rows="depth")
    header, _ = atlas_data(store, view=view)
    runs = read_runs(store)
    kept = runs[(runs["depth"] == 12) & (runs["learning_rate"] < 1)]
    assert len(header["ids"]) == len(kept)
    assert header["places"]["y"] == "seed"
    failed = report(store, "--out", out, "--where", "depth=3")
    assert failed.exit_code == 2
    assert "the nearest are 2 and 12" in failed.stderr


def test_the_argument_is_told_where_a_store_holds_it(claims_store, store, tmp_path, monkeypatch):
    """Every claim with its verdict and numbers; no such section in the page of another store."""
    monkeypatch.setattr("analysis.figures.gallery.SHOWN", ("outcome_shares",))
    out = tmp_path / "claims.html"
    assert report(claims_store, "--out", out).exit_code == 0
    page = out.read_text()
    for judged in judge(claims_store):
        assert escape(judged.claim.statement) in page
        assert f"<strong>{judged.verdict.verdict}</strong>" in page
        assert all(escape(str(number)) in page for number in judged.verdict.numbers)
    report(store, "--out", out)
    assert 'id="argument"' not in out.read_text()


@pytest.mark.parametrize(("asked", "words"), [((), "10%"), (("--trained-level", 0.5), "50%")])
def test_the_page_says_the_level_that_was_applied(store, tmp_path, monkeypatch, asked, words):
    """In the summary, the legend, the settings and the commands that draw its figures."""
    monkeypatch.setattr("analysis.figures.gallery.SHOWN", ("outcome_shares",))
    out = tmp_path / "atlas.html"
    assert report(store, "--out", out, *asked).exit_code == 0
    page = out.read_text()
    share = (read_judged(store, float(words[:-1]) / 100)["outcome"] == "trained").mean()
    assert f"{share:.0%} trained (their loss fell below {words} of the best constant's)" in page
    assert "trained: loss fell below " + words + " of the best constant&#x27;s" in page
    assert (f"outcome_shares {store} --trained-level 0.5</code>" in page) is bool(asked)
    assert ("below 10% of" in page) is not bool(asked)


def test_a_page_of_runs_of_two_levels_has_the_level_as_a_setting(store, run_small, make_store):
    """The level that a run's curve is held against is its own."""
    both = pd.concat([read_runs(store), read_runs(run_small(trained_level=0.5))])
    header, _ = unpacked(pack(*atlas_data(make_store(both))))
    (levels,) = (each for each in header["settings"] if each["name"] == "trained_level")
    assert (levels["values"], header["trained"]) == ([0.1, 0.5], "10% to 50%")
    assert header["fixed"].get("trained_level") is None
    judged_header, judged_columns = atlas_data(make_store(both), 0.5)
    assert judged_header["fixed"]["trained_level"] == 0.5
    assert len(judged_columns["region"]) == len(both) / 2


def test_cells_that_were_not_trained_have_the_nearest_run(traced_store):
    """Each with its own settings; shares are of all cells, and the page says how sure they are."""
    header, columns = unpacked(pack(*atlas_data(traced_store)))
    cells = read_map(traced_store)
    assert len(header["ids"]) == len(cells) - cells["inferred"].sum() == 64
    names = [setting["name"] for setting in header["settings"]]
    decoded = pd.DataFrame(
        {
            s["name"]: np.array(s["values"])[columns[f"setting {s['name']}"]]
            for s in header["settings"]
        }
    )
    runs = np.concatenate([np.arange(64), columns["cell run"]])
    decoded["outcome"] = [
        header["regions"][region]["outcome"] for region in columns["region"][runs]
    ]
    expected = cells[decoded.columns].sort_values(names, ignore_index=True)
    pd.testing.assert_frame_equal(
        decoded.sort_values(names, ignore_index=True), expected, check_dtype=False
    )
    page = atlas(traced_store, figures="")
    assert "Traced: 33.3% of the cells were trained" in page
    assert "at most 25.00% of these are wrong about outcome" in page
    share = f"{(cells['outcome'] == 'trained').mean():.1%}"
    assert re.search(rf"trained: [^<]*</td><td [^<]*</td><td [^>]*>{share}</td>", page)


def test_a_part_of_a_traced_map_has_the_cells_of_its_runs(traced_store):
    """A cell is kept as its run is; where that is not on the page, the cell is not either."""
    header, columns = atlas_data(traced_store, view=View(where=("outcome=trained",)))
    cells = read_map(traced_store)
    kept = cells[cells["outcome"] == "trained"]
    assert len(columns["cell run"]) == kept["inferred"].sum() > 0
    small = View(where=("learning_rate<0.0003",))
    header, columns = atlas_data(traced_store, view=small)
    assert columns["cell run"].max() < len(header["ids"])
