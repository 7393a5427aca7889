"""The atlas in a real browser: hovered, clicked, filtered, walked by keyboard, offline.

Needs Chromium and its driver (Debian: `apt-get install chromium chromium-driver`).
"""

import json
import re
import shlex
import shutil
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from analysis.atlas.page import atlas
from analysis.explaining.causes import why
from analysis.explaining.explanation import as_run, changes, events
from analysis.explaining.remedies import remedies
from analysis.tables.regions import REGIONS, region_by_run

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER),
    reason="no Chromium with chromedriver here; Debian has them in chromium, chromium-driver",
)

# Without them Chromium asks the network for updates of its own.
QUIET = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-sandbox",  # as root, as in a container, Chromium starts only without one
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A headless Chromium with an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    profile = tmp_path_factory.mktemp("profile")
    for argument in (*QUIET, f"--user-data-dir={profile}", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


SCREENS = {"desk": (1400, 900), "phone": (390, 844)}


@pytest.fixture(params=SCREENS)
def page(request, browser, hostile_page):
    """The atlas, opened anew from its file on a screen; afterwards the console must be empty."""
    show_on(browser, request.param)
    browser.get("about:blank")  # another fragment alone would not open the page anew
    browser.get_log("performance")  # what came before is not the page's
    visit(browser, hostile_page.as_uri())
    choose(browser, "dataset", "digits")
    yield browser
    assert browser.get_log("browser") == []


def show_on(browser, screen):
    """Give pages the size of a screen, and none of what an earlier test emulated."""
    width, height = SCREENS[screen]
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


on_desk = pytest.mark.parametrize("page", ["desk"], indirect=True)
on_phone = pytest.mark.parametrize("page", ["phone"], indirect=True)


def visit(browser, address):
    """Open an address and wait for the large map."""
    browser.get(address)
    ready(browser)


def wait(browser, seconds=5):
    """Waits until something holds, and looks often."""
    return WebDriverWait(browser, seconds, poll_frequency=0.05)


def ready(browser):
    wait(browser, 20).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "body[data-ready] #map .hm")
    )


def choose(page, name, text):
    Select(page.find_element(By.ID, f"choose-{name}")).select_by_visible_text(text)


def text(page, name):
    return page.find_element(By.ID, name).text


def middle_of_map(page):
    """To the cell of learning rate 0.3981 and init scale 1.587, by mouse."""
    found = page.find_element(By.ID, "map")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
    x, y = page.execute_script(
        """const { xaxis, yaxis } = document.getElementById("map")._fullLayout;
        const box = document.getElementById("map").getBoundingClientRect();
        return [xaxis._offset + xaxis.d2p(0.3981) - box.width / 2,
          yaxis._offset + yaxis.d2p(1.587) - box.height / 2];"""
    )
    return ActionChains(page, duration=0).move_to_element_with_offset(found, round(x), round(y))


def run_of(page, runs):
    """The row of the run that is open."""
    ((_, shown),) = re.findall(r"(\(run) (\w+)\)", text(page, "run-settings"))
    return runs[runs["trial_id"].str.startswith(shown)].iloc[0]


def address(page, **changes):
    """The page's address with another fragment."""
    return f"{page.current_url.split('#')[0]}#{urlencode(changes)}"


def test_hovering_tells_the_outcome_and_what_it_rests_on(page, runs):
    """The first words of `explain` on a run of the cell; no number that speaks against them."""
    middle_of_map(page).perform()
    told = text(page, "tip")
    assert "learning rate 0.3981, init scale 1.587" in told
    cell = runs[np.isclose(runs["learning_rate"], 0.3981, rtol=1e-3)]
    cell = cell[np.isclose(cell["init_scale"], 1.587, rtol=1e-3)]
    cell = cell[(cell["activation"] == "relu") & (cell["depth"] == 2)]
    (outcome,) = cell["outcome"].unique()
    assert f"{outcome}: " in told
    assert "(2 of 2 runs)" in told
    assert why(as_run(cell.iloc[0])).startswith(told.split("\n")[2])


def test_hovering_tells_the_number_that_colors(page):
    """The cell's median of it, beside the outcome's words."""
    choose(page, "color", "final loss")
    middle_of_map(page).perform()
    assert "final loss, median: " in text(page, "tip")


def test_a_click_opens_a_panel_that_stays_in_sight(page, runs):
    """The words of `explain`, the curves, the layers beside theory; another seed by choice."""
    middle_of_map(page).click().perform()
    run = run_of(page, runs)
    assert (run["activation"], run["depth"], run["seed"]) == ("relu", 2, 0)
    assert text(page, "run-why") == why(as_run(run))
    assert text(page, "run-happened").splitlines() == list(events(as_run(run)))
    drawn = "return document.getElementById(arguments[0]).data.map(t => [t.name, t.y.length])"
    assert ["measured", 2] in page.execute_script(drawn, "run-forward")
    assert ["theory, infinite width", 2] in page.execute_script(drawn, "run-backward")
    losses = page.execute_script("return document.getElementById('run-loss').data[0].y")
    assert losses[0] == pytest.approx(run["initial_loss"], rel=0.01)
    assert in_sight(page, "run-title")
    assert in_sight(page, "map")
    choose(page, "run", page.find_elements(By.CSS_SELECTOR, "#choose-run option")[1].text)
    assert run_of(page, runs)["seed"] == 1
    page.execute_script("document.getElementById('dictionary').scrollIntoView()")
    assert in_sight(page, "run-title")


@on_phone
def test_a_tap_opens_the_run_of_its_cell(page, runs):
    """A finger's click comes from Plotly and has no place: where the finger was lifted counts."""
    middle_of_map(page)
    cell = runs[np.isclose(runs["learning_rate"], 0.3981, rtol=1e-3)]
    cell = cell[np.isclose(cell["init_scale"], 1.587, rtol=1e-3)]
    place = page.execute_script(
        """const map = document.getElementById("map"), { xaxis, yaxis } = map._fullLayout;
        const box = map.getBoundingClientRect();
        return { x: box.left + xaxis._offset + xaxis.d2p(0.3981),
          y: box.top + yaxis._offset + yaxis.d2p(1.587) };"""
    )
    tap = {**place, "duration": 50, "gestureSourceType": "touch"}
    page.execute_cdp_cmd("Input.synthesizeTapGesture", tap)
    wait(page).until(lambda driver: text(driver, "run-why"))
    assert run_of(page, runs)["trial_id"] in set(cell["trial_id"])


def test_the_open_run_is_that_of_the_map(page, runs):
    """Another depth or activation opens the run of the same cell there; arrow keys walk on."""
    middle_of_map(page).click().perform()
    before = run_of(page, runs)
    page.execute_script("window.scrollTo(0, 0)")
    choose(page, "depth", "12")
    after = run_of(page, runs)
    assert (before["depth"], after["depth"]) == (2, 12)
    same = ["learning_rate", "init_scale", "activation", "seed"]
    assert after[same].tolist() == before[same].tolist()
    assert f"run={after['trial_id'][:8]}" in page.current_url


@on_desk
def test_a_click_leaves_the_keyboard_on_the_map(page):
    """So that the next arrow key moves from the cell that was clicked."""
    middle_of_map(page).click().perform()
    assert page.switch_to.active_element.get_attribute("id") == "map"
    page.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert "init scale 4" in text(page, "tip")
    boxes = page.execute_script(
        "return document.getElementById('map').layout.shapes.map(s => s.y0)"
    )
    assert len(set(boxes)) == 2  # of the open run, and of the cursor


def in_sight(page, name):
    """Whether an element's middle is on the screen, and nothing lies over it."""
    return page.execute_script(
        """const found = document.getElementById(arguments[0]);
        const box = found.getBoundingClientRect();
        const x = box.left + box.width / 2, y = box.top + box.height / 2;
        const top = document.elementFromPoint(x, y);
        return Boolean(top) && (found.contains(top) || top.contains(found));""",
        name,
    )


def test_the_command_names_the_stores_full_path(page):
    """It works in whatever folder it is pasted."""
    middle_of_map(page).click().perform()
    *command, path, _ = shlex.split(
        page.find_element(By.ID, "run-command").get_attribute("textContent")
    )
    assert command == ["phasesweep", "explain"]
    assert Path(path).is_absolute()
    assert (Path(path) / "manifest.json").exists()


def test_the_nearest_run_that_trained_is_one_click_away(page, runs):
    """What to change, from what to what, is said; the button leads there, panel and all."""
    failed = runs[(runs["activation"] == "tanh") & (runs["depth"] == 12)]
    failed = as_run(failed[failed["outcome"] != "trained"].iloc[3])
    (remedy,) = remedies(failed, runs)
    visit(page, address(page, dataset="digits", run=failed["trial_id"]))
    page.refresh()
    ready(page)
    heading = page.find_element(By.CSS_SELECTOR, "#run-actions h4").text
    noun = "setting" if len(remedy.changes) == 1 else "settings"
    assert heading == f"Shortest way to green: change {len(remedy.changes)} {noun}"
    listed = page.find_element(By.CSS_SELECTOR, ".changes").text.splitlines()
    assert listed == [c.replace("->", "\u2192") for c in changes(failed, remedy.changes)]
    page.find_element(By.CSS_SELECTOR, "#run-actions .open").click()
    found = run_of(page, runs)
    assert (found["trial_id"], found["outcome"]) == (remedy.trial_id, "trained")
    shown = Select(page.find_element(By.ID, "choose-depth")).first_selected_option.text
    assert shown == str(found["depth"])
    assert page.find_element(By.CSS_SELECTOR, "#run-actions p").text == "nothing: it trained"
    page.back()
    wait(page).until(lambda driver: run_of(driver, runs)["trial_id"] == failed["trial_id"])


def test_a_link_shows_the_same_cell(page, runs):
    """Panel, color and run are in the address; what this store lacks is named."""
    choose(page, "activation", "tanh")
    choose(page, "color", "chi, measured")
    middle_of_map(page).click().perform()
    link, run = page.current_url, run_of(page, runs)
    page.get("about:blank")
    visit(page, link)
    assert run_of(page, runs)["trial_id"] == run["trial_id"]
    color = Select(page.find_element(By.ID, "choose-color")).first_selected_option.text
    activation = Select(page.find_element(By.ID, "choose-activation")).first_selected_option.text
    assert (color, activation) == ("chi, measured", "tanh")
    assert not page.find_element(By.ID, "unknown").is_displayed()
    page.execute_script("location.hash = '#depth=12&activation=swish'")
    wait(page).until(lambda driver: "activation swish" in text(driver, "unknown"))
    depth = Select(page.find_element(By.ID, "choose-depth")).first_selected_option.text
    assert depth == "12"


def test_a_link_to_a_section_keeps_the_view(page):
    """The page's own sections are no views."""
    choose(page, "activation", "tanh")
    page.find_element(By.CSS_SELECTOR, "nav a[href='#overview']").click()
    activation = Select(page.find_element(By.ID, "choose-activation")).first_selected_option.text
    assert activation == "tanh"
    assert not page.find_element(By.ID, "unknown").is_displayed()


def test_every_panel_has_a_small_map(page):
    """Of each depth and activation; pressed, by mouse or by arrow keys, it is the large one."""
    labels = "return [...document.querySelectorAll('.panel')].map(p => p.ariaLabel)"
    assert page.execute_script(labels) == [
        f"activation {activation}, depth {depth}"
        for activation in ("relu", "tanh")
        for depth in (2, 12)
    ]
    large = "return JSON.stringify(document.getElementById('map').data[0].z)"
    before = page.execute_script(large)
    page.find_element(By.CSS_SELECTOR, ".panel[aria-label='activation tanh, depth 12']").click()
    assert page.execute_script(large) != before
    pressed = page.find_element(By.CSS_SELECTOR, ".panel[aria-pressed='true']")
    assert pressed.get_attribute("aria-label") == "activation tanh, depth 12"
    pressed.send_keys(Keys.ARROW_LEFT, Keys.NULL)
    page.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert page.switch_to.active_element.get_attribute("aria-pressed") == "true"
    assert page.execute_script(large) == before


def test_other_axes_are_chosen(page, runs):
    """What is put on an axis changes places with what lay there; a link keeps it."""
    page.find_element(By.CSS_SELECTOR, "#places-fold summary").click()
    choose(page, "x", "depth")
    choose(page, "y", "seed")
    choose(page, "activation", "tanh")
    choose(page, "learning_rate", "1e-4")
    choose(page, "init_scale", "0.25")
    shown = page.execute_script(
        """const map = document.getElementById("map");
        const words = (axis) => [axis.title.text, axis.ticktext];
        return [words(map.layout.xaxis), words(map.layout.yaxis), map.data[0].z];"""
    )
    assert shown[:2] == [["depth", ["2", "12"]], ["seed", ["0", "1"]]]
    labels = "return [...document.querySelectorAll('.panel')].map(p => p.ariaLabel)"
    assert page.execute_script(labels)[0] == "activation relu, learning rate 1e-4"
    own = runs[(runs["activation"] == "tanh") & (runs["learning_rate"] < 2e-4)]
    own = own[np.isclose(own["init_scale"], own["init_scale"].min())]
    for row, seed in zip(shown[2], (0, 1), strict=True):
        for region, depth in zip(row, (2, 12), strict=True):
            (run,) = own[(own["seed"] == seed) & (own["depth"] == depth)].to_dict("records")
            assert region == region_by_run([run["outcome"]], [run["cause"]])[0]
    page.refresh()
    ready(page)
    title = "return document.getElementById('map').layout.yaxis.title.text"
    assert page.execute_script(title) == "seed"
    assert not page.find_element(By.ID, "unknown").is_displayed()


def test_the_small_maps_have_the_colors_of_their_cells(page, runs):
    """The middle of the lowest left cell, of tanh at depth 12, as its runs ended."""
    panel = "document.querySelector(\".panel[aria-label='activation tanh, depth 12'] canvas\")"
    pixel = page.execute_script(
        f"const c = {panel}; return [...c.getContext('2d').getImageData("
        "c.width / 12, c.height - c.height / 8, 1, 1).data].slice(0, 3)"
    )
    cell = runs[(runs["activation"] == "tanh") & (runs["depth"] == 12) & (runs["seed"] == 0)]
    cell = cell.sort_values(["init_scale", "learning_rate"]).iloc[0]
    region = REGIONS[region_by_run([cell["outcome"]], [cell["cause"]])[0]]
    assert pixel == [int(region.color[i : i + 2], 16) for i in (1, 3, 5)]


def test_theory_is_drawn_over_the_maps(page, runs):
    """chi = 1 of ReLU at the square root of 2; 2 / lambda_max between the rates around it."""
    choose(page, "seed", "0")
    lines = page.execute_script(
        "return document.getElementById('map').data.slice(2).map(t => [t.name, t.x, t.y])"
    )
    chi = [y for name, _, ys in lines if name.endswith("(chi = 1)") for y in ys if y]
    assert chi
    np.testing.assert_allclose(chi, 2**0.5, rtol=1e-3)
    checked = 0
    cells = runs[(runs["activation"] == "relu") & (runs["depth"] == 2) & (runs["seed"] == 0)]
    for name, xs, ys in lines:
        if "lambda_max" not in name:
            continue
        for x, y in zip(xs, ys, strict=True):
            at = cells[np.isclose(cells["init_scale"], y or 0, rtol=1e-3)]
            if x and len(at):
                assert x == pytest.approx(at["critical_learning_rate"].iloc[0], rel=0.05)
                checked += 1
    assert checked
    assert "2 / lambda_max" in text(page, "legend")


def test_choices_filter_and_color_the_map(page, runs):
    """A cell for each pair of axis values; the numbers are the store's medians."""
    choose(page, "activation", "tanh")
    choose(page, "depth", "12")
    choose(page, "seed", "1")
    choose(page, "color", "final loss")
    drawn = page.execute_script("return document.getElementById('map').data[0].z")
    chosen = runs[(runs["activation"] == "tanh") & (runs["depth"] == 12) & (runs["seed"] == 1)]
    legend = text(page, "legend")
    assert "no such number" in legend
    assert "final loss" in legend
    assert "diverged" not in legend
    losses = chosen.pivot(index="init_scale", columns="learning_rate", values="final_loss")
    for row, expected in zip(drawn, losses.to_numpy(), strict=True):
        for log10, loss in zip(row, expected, strict=True):
            assert (log10 is None) == (loss != loss)
            assert log10 is None or 10**log10 == pytest.approx(loss, rel=0.01)


def test_the_legend_hides_an_outcome(page):
    """Pressed, its cells are left out; pressed again, they are back."""
    cells = "return document.getElementById('map').data[0].z.flat().filter(z => z !== null).length"
    every = page.execute_script(cells)
    button = page.find_element(By.CSS_SELECTOR, "#legend button")
    hidden = int(button.text.rsplit("(", 1)[1].rstrip(")"))
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert page.execute_script(cells) == every - hidden
    button.click()
    assert page.execute_script(cells) == every


def test_the_keyboard_alone_opens_a_run(page):
    """Tab reaches the map, arrows walk and are spoken, Enter opens and leads to the run."""
    page.find_element(By.ID, "choose-color").send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "Other axes"
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("aria-label") == "activation relu, depth 2"
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("id") == "map"
    page.switch_to.active_element.send_keys(Keys.ARROW_UP)
    first = text(page, "tip")
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT, Keys.ARROW_DOWN)
    assert text(page, "tip") != first
    spoken = page.find_element(By.ID, "spoken").get_attribute("textContent")
    assert "learning rate 0.02512" in spoken
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not page.find_element(By.ID, "tip").is_displayed()
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.find_element(By.ID, "run").is_displayed()
    assert page.switch_to.active_element.get_attribute("id") == "run-title"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not page.find_element(By.ID, "run").is_displayed()
    assert page.switch_to.active_element.get_attribute("id") == "map"


def rows(page):
    """The table's rows as it shows them, by column."""
    names = [each.text for each in page.find_elements(By.CSS_SELECTOR, "#runs-head .sort")]
    cells = page.execute_script(
        "return [...document.querySelectorAll('#runs-body tr')].map(r => "
        "[...r.children].map(c => c.textContent))"
    )
    return pd.DataFrame(cells, columns=names)


def filtered(page, label, words):
    """Write above a column of the table."""
    found = page.find_element(By.CSS_SELECTOR, f"#runs input[aria-label^='Filter {label}:']")
    found.clear()
    found.send_keys(words)
    return found


def test_the_table_is_sorted_and_filtered(page, runs):
    """By mouse, with what does not exist last either way; by keyboard above a column."""
    counted = text(page, "runs-count")
    assert counted.endswith(f"of {len(runs) + (runs['depth'] == 2).sum()} runs")
    filtered(page, "depth", "12")
    filtered(page, "init scale", ">1")
    filtered(page, "learning rate", "0.001..1")
    filtered(page, "activation", "TAN")
    wanted = runs[(runs["depth"] == 12) & (runs["init_scale"] > 1) & (runs["activation"] == "tanh")]
    wanted = wanted[wanted["learning_rate"].between(0.001, 1)]
    assert text(page, "runs-count") == f"1 to {len(wanted)} of {len(wanted)} runs"
    (head,) = [
        each
        for each in page.find_elements(By.CSS_SELECTOR, "#runs-head .sort")
        if each.text == "final loss"
    ]
    for order in ("ascending", "descending"):
        head.send_keys(Keys.ENTER)
        column = head.find_element(By.XPATH, "..")
        assert column.get_attribute("aria-sort") == order
        shown = pd.to_numeric(rows(page)["final loss"], errors="coerce")
        expected = wanted["final_loss"].sort_values(ascending=order == "ascending")
        np.testing.assert_allclose(shown, expected.astype(float), rtol=0.01)
    refused = filtered(page, "depth", "deep")
    assert refused.get_attribute("aria-invalid") == "true"
    filtered(page, "depth", "3")
    assert text(page, "runs-count") == "no run has all of this"


def test_the_tables_pages_are_turned(page):
    """Twenty-five runs at a time."""
    first = rows(page)["run"]
    assert not page.find_element(By.ID, "runs-before").is_enabled()
    page.find_element(By.ID, "runs-after").click()
    assert text(page, "runs-count").startswith("26 to 50 of ")
    assert set(rows(page)["run"]).isdisjoint(first)
    page.find_element(By.ID, "runs-before").click()
    assert list(rows(page)["run"]) == list(first)


def test_a_row_opens_its_run(page, runs):
    """And the map turns to its panel and cell."""
    filtered(page, "depth", "12")
    filtered(page, "activation", "tanh")
    page.find_elements(By.CSS_SELECTOR, "#runs-body .link")[7].click()
    run = run_of(page, runs)
    assert (run["depth"], run["activation"]) == (12, "tanh")
    shown = Select(page.find_element(By.ID, "choose-depth")).first_selected_option.text
    assert shown == "12"
    assert in_sight(page, "run-title")


def test_parallel_coordinates_show_what_the_filters_leave(page, runs):
    """Unfolded, a picture of as many runs as the table counts, in the chosen color."""
    filtered(page, "activation", "tanh")
    page.find_element(By.CSS_SELECTOR, "#parallel-fold summary").click()
    tanh = runs[runs["activation"] == "tanh"]
    counted = len(tanh) + (tanh["depth"] == 2).sum()  # the other data set's too
    wait(page).until(lambda driver: text(driver, "parallel-count") == f"{counted} runs")
    picture = "return document.getElementById('parallel').toDataURL()"
    before = page.execute_script(picture)
    choose(page, "color", "chi, measured")
    colored = page.execute_script(picture)
    filtered(page, "depth", "12")
    assert len({before, colored, page.execute_script(picture)}) == 3


@on_desk
def test_the_filtered_rows_are_saved(page, runs, tmp_path):
    """As CSV that pandas reads: settings to every digit, measures to four."""
    allowed = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
    filtered(page, "depth", "12")
    page.find_element(By.ID, "runs-save").click()
    file = tmp_path / "runs.csv"
    wait(page, 10).until(lambda driver: file.exists())
    saved = pd.read_csv(file, dtype={"trial_id_begins": str})
    wanted = runs[runs["depth"] == 12].copy()
    wanted["trial_id_begins"] = wanted["trial_id"].str[: saved["trial_id_begins"].str.len()[0]]
    both = saved.merge(wanted, on="trial_id_begins", suffixes=("", "_stored"))
    assert len(both) == len(saved) == len(wanted)
    assert list(both["learning_rate"]) == list(both["learning_rate_stored"])
    np.testing.assert_allclose(both["final_loss"], both["final_loss_stored"], rtol=0.01)
    assert all(map(str.startswith, both["outcome"], both["outcome_stored"]))


def test_words_of_a_store_are_only_words(page):
    """The data set's name is shown as it is and nothing of it runs."""
    choose(page, "dataset", "</script><img src=x onerror=\"document.title='attacked'\">")
    middle_of_map(page).click().perform()
    assert "<img src=x" in text(page, "run-numbers")
    assert page.find_element(By.ID, "run-unmeasured").is_displayed()
    assert page.title == "Atlas of <b>hostile"
    assert page.find_elements(By.CSS_SELECTOR, "img[src=x]") == []


def test_the_page_asks_the_network_for_nothing(page):
    """Of all its requests, none leaves the file."""
    middle_of_map(page).click().perform()
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dark_and_light_follow_the_reader(page, scheme):
    """Page and charts, also when it changes while the page is open."""
    middle_of_map(page).click().perform()
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    ink, chart = {
        "light": ("rgb(28, 33, 38)", "#1c2126"),
        "dark": ("rgb(232, 235, 238)", "#e8ebee"),
    }[scheme]
    assert page.execute_script("return getComputedStyle(document.body).color") == ink
    colors = "return ['map', 'run-loss'].map(id => document.getElementById(id).layout.font.color)"
    wait(page).until(lambda driver: driver.execute_script(colors) == [chart] * 2)
    pictures = (
        "return [...document.querySelectorAll('#figures img')].map(i => i.currentSrc === i.src)"
    )
    assert set(page.execute_script(pictures)) == {scheme == "light"}


@on_phone
def test_a_phone_need_not_scroll_sideways(page):
    """At 390 pixels nothing but tables, each in a frame of its own, is wider; at 360 too."""
    for width in (390, 360):
        screen = {"width": width, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        page.refresh()  # as one who opens it there
        ready(page)
        middle_of_map(page).click().perform()
        assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_print_has_the_map_and_no_controls(page):
    """What cannot be pressed on paper is left out."""
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not page.find_element(By.ID, "choices").is_displayed()
    assert page.find_element(By.CSS_SELECTOR, "#map .hm").is_displayed()
    assert len(page.print_page()) > 10_000


def test_a_store_of_several_experiments_opens_on_cells_that_were_run(
    browser, claims_store, tmp_path
):
    """Where no run has the first of every setting, the map begins with what most runs have."""
    out = tmp_path / "claims.html"
    out.write_text(atlas(claims_store, figures=""))
    visit(browser, out.as_uri())
    entries = browser.find_element(By.ID, "legend").text.splitlines()
    assert [entry for entry in entries if entry != "not run"]
    assert browser.get_log("browser") == []


def test_a_cell_that_was_not_trained_leads_to_its_run(browser, traced_store, tmp_path):
    """It is paler and says how far away the run is; its button, and Back, and a link work."""
    out = tmp_path / "traced.html"
    out.write_text(atlas(traced_store, figures=""))
    show_on(browser, "desk")
    visit(browser, out.as_uri())
    choose(browser, "seed", "0")
    trained, _, paler = browser.execute_script(
        "return document.getElementById('map').data.slice(0, 3)"
        ".map(t => t.z.flat().filter(z => z !== null).length)"
    )
    assert (trained, paler) == (8, 16)
    assert "paler: not trained, as the nearest run" in text(browser, "legend")
    middle_of_map(browser).click().perform()
    cell = text(browser, "run-settings")
    assert "learning rate 0.3981" in cell
    assert "(run " not in cell
    assert text(browser, "run-inferred").startswith(
        "Not trained; inferred from the run 1 cell away.\nOpen that run: "
    )
    assert not browser.find_element(By.ID, "run-why").is_displayed()
    link = browser.current_url
    browser.find_element(By.CSS_SELECTOR, "#run-inferred .open").click()
    run = run_of(browser, pd.read_parquet(traced_store / "runs"))
    rates, scales = np.geomspace(1e-4, 100, 6), np.geomspace(0.25, 4, 4)
    away = (
        abs(rates - run["learning_rate"]).argmin() - 3,
        abs(scales - run["init_scale"]).argmin() - 2,
    )
    assert sorted(map(abs, away)) == [0, 1]
    assert text(browser, "run-why") == why(as_run(run))
    browser.back()
    wait(browser).until(lambda driver: text(driver, "run-settings") == cell)
    browser.get("about:blank")
    visit(browser, link)
    assert text(browser, "run-settings") == cell
    assert browser.get_log("browser") == []
