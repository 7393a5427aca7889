"""The atlas in a real browser: hovered, clicked, filtered, walked by keyboard, offline.

Needs Chromium and its driver (Debian: `apt-get install chromium chromium-driver`).
"""

import json
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from analysis.atlas.page import atlas

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


@pytest.fixture
def page(browser, hostile_page):
    """The atlas, opened anew from its file; afterwards the console must be empty."""
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    browser.get_log("performance")  # what came before is not the page's
    browser.get(hostile_page.as_uri())
    WebDriverWait(browser, 20).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "body[data-ready] #map .hm")
    )
    Select(browser.find_element(By.ID, "choose-dataset")).select_by_visible_text("digits")
    yield browser
    assert browser.get_log("browser") == []


def choose(page, name, text):
    Select(page.find_element(By.ID, f"choose-{name}")).select_by_visible_text(text)


def text(page, name):
    return page.find_element(By.ID, name).text


def middle_of_map(page):
    """To a cell near the middle of the map, by mouse."""
    found = page.find_element(By.ID, "map")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
    return ActionChains(page).move_to_element_with_offset(found, 60, -30)


def test_hovering_tells_the_cells_numbers(page):
    """The values of the axes, the outcome and the medians, beside the mouse."""
    middle_of_map(page).perform()
    told = text(page, "tip")
    assert "learning rate 0.3981, init scale 1.587" in told
    assert "2 runs; medians:" in told
    assert "final loss" in told


def test_clicking_a_cell_opens_its_run(page, runs):
    """Its loss curve and its layers beside the theory's; another seed by choice."""
    middle_of_map(page).click().perform()
    shown = text(page, "run-title").split()[1].rstrip(":")
    run = runs[runs["trial_id"].str.startswith(shown)].iloc[0]
    assert (run["activation"], run["depth"], run["seed"]) == ("relu", 2, 0)
    assert text(page, "run-command").endswith(f"explain <b>hostile {shown}")
    drawn = "return document.getElementById(arguments[0]).data.map(t => [t.name, t.y.length])"
    assert ["measured", 2] in page.execute_script(drawn, "run-forward")
    assert ["theory, infinite width", 2] in page.execute_script(drawn, "run-backward")
    losses = page.execute_script("return document.getElementById('run-loss').data[0].y")
    assert losses[0] == pytest.approx(run["initial_loss"], rel=0.01)
    choose(page, "run", page.find_elements(By.CSS_SELECTOR, "#choose-run option")[1].text)
    other = text(page, "run-title").split()[1].rstrip(":")
    assert runs[runs["trial_id"].str.startswith(other)]["seed"].item() == 1


def test_choices_filter_and_color_the_map(page, runs):
    """A cell for each pair of axis values; the numbers are the store's medians."""
    choose(page, "activation", "tanh")
    choose(page, "depth", "12")
    choose(page, "seed", "1")
    choose(page, "color", "final loss")
    drawn = page.execute_script("return document.getElementById('map').data[0].z")
    chosen = runs[(runs["activation"] == "tanh") & (runs["depth"] == 12) & (runs["seed"] == 1)]
    assert "no such number" in text(page, "legend")
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
    WebDriverWait(page, 5).until(lambda driver: driver.execute_script(colors) == [chart] * 2)


def test_a_phone_need_not_scroll_sideways(page):
    """At 360 pixels nothing but tables, each in a frame of its own, is wider."""
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.refresh()  # as one who opens it there
    WebDriverWait(page, 20).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "body[data-ready] #map .hm")
    )
    middle_of_map(page).click().perform()
    assert page.execute_script("return document.documentElement.scrollWidth") <= 360


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
    out.write_text(atlas(claims_store))
    browser.get(out.as_uri())
    WebDriverWait(browser, 20).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "body[data-ready] #map .hm")
    )
    entries = browser.find_element(By.ID, "legend").text.splitlines()
    assert [entry for entry in entries if entry != "not run"]
    assert browser.get_log("browser") == []
