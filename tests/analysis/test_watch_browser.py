"""The watched atlas in a real browser: it follows the store, and keeps what one looks at.

Needs Chromium and its driver (Debian: `apt-get install chromium chromium-driver`).
"""

import json
import shutil

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from analysis.watching.live_atlas import LiveAtlas
from analysis.watching.server import serving

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER),
    reason="no Chromium with chromedriver here; Debian has them in chromium, chromium-driver",
)

QUIET = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    "--no-sandbox",  # as root, as in a container, Chromium starts only without one
)


@pytest.fixture
def browser(tmp_path):
    """A headless Chromium with an empty profile; afterwards its console must be empty."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (*QUIET, f"--user-data-dir={tmp_path}", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def test_the_page_follows_the_store_and_stays_where_it_is(browser, make_store, runs):
    """More runs come, the fragment of the address and the scrolling stay; then the watch ends."""
    store = make_store(runs[:-10], name="running")
    manifest = store / "manifest.json"
    manifest.write_text(json.dumps({"last_commit": 1}))
    atlas = LiveAtlas(store)
    wait = WebDriverWait(browser, 60, ignored_exceptions=[StaleElementReferenceException])

    def shown(driver, words):
        """Whether one frame is there, with these words in it; then it is entered."""
        driver.switch_to.default_content()
        frames = driver.find_elements(By.CSS_SELECTOR, "iframe:not(.coming)")
        if len(frames) != 1 or driver.find_elements(By.CSS_SELECTOR, "iframe.coming"):
            return False
        driver.switch_to.frame(frames[0])
        return words in driver.find_element(By.TAG_NAME, "body").text

    with serving(atlas) as address:
        browser.get(address)
        waiting = browser.find_element(By.ID, "words")
        wait.until(lambda driver: waiting.text.startswith("no trainings yet"))
        assert atlas.refresh()
        wait.until(lambda driver: shown(driver, f"{len(runs) - 10} trainings, of which"))
        wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, "body[data-ready]"))
        view = browser.execute_script("return location.hash").replace("relu", "tanh")
        browser.execute_script(f"location.hash = '{view}'; scrollTo(0, 300)")
        runs.to_parquet(store / "runs" / "part.parquet")
        manifest.write_text(json.dumps({"last_commit": 2}))
        assert atlas.refresh()
        wait.until(lambda driver: shown(driver, f"{len(runs)} trainings, of which"))
        assert browser.execute_script("return [location.hash, scrollY]") == [view, 300]
        browser.switch_to.default_content()
        words = browser.find_element(By.ID, "words")
        assert words.text == f"{len(runs)} trainings so far"
        noise = [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]]
        assert noise == []
    wait.until(lambda driver: words.text.startswith("phasesweep watch has ended"))
    assert browser.find_elements(By.CSS_SELECTOR, "iframe:not(.coming)")
