"""The page as a reader meets it: in Chromium, on a telephone and on a desk, by day and by night."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import time
from itertools import pairwise

import pytest

from diffkit.benchmark.results import load

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="no chromium and chromedriver on this machine: the HTML page was not looked at"
)

FLAGS = [
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip

PHONE, DESK = 390, 1280
SEEN = pytest.mark.parametrize("scheme", ["light", "dark"])
WIDTHS = pytest.mark.parametrize("width", [PHONE, DESK])


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser of its own, which keeps what it saves in ``browser.saved``."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    profile, saved = tmp_path_factory.mktemp("profile"), tmp_path_factory.mktemp("saved")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    for flag in [*FLAGS, *root, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(saved)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    driver.saved = saved
    yield driver
    driver.quit()


@pytest.fixture
def look(browser, reported):
    """Open the page of the run: ``look(width, scheme)``; whatever the browser complains about fails the test."""

    def opened(width=DESK, scheme="light"):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get((reported / "report.html").as_uri())
        return browser

    yield opened
    assert browser.get_log("browser") == []


def column(page, name):
    """The texts of one column, from top to bottom, where a reader sees them."""
    return page.execute_script(
        """
        const heading = document.querySelector(`#measurements th[data-column="${arguments[0]}"]`);
        const rows = [...document.querySelectorAll("#measurements tbody tr")];
        return rows.filter((row) => row.checkVisibility()).map((row) => row.cells[heading.cellIndex].textContent);
        """,
        name,
    )


def sort_by(page, name):
    """Choose a heading as a reader does, and hand back what it says of its order."""
    heading = page.find_element("css selector", f'#measurements th[data-column="{name}"]')
    heading.find_element("tag name", "button").click()
    return heading.get_attribute("aria-sort")


def numbers(texts):
    superscripts = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    plain = [text.replace(",", "").replace(" × 10", "e").translate(superscripts) for text in texts if text]
    return [float(text.replace("10-", "1e-", 1) if text.startswith("10-") else text) for text in plain]


def test_a_click_sorts_numbers_as_numbers_and_what_is_missing_last(look):
    page = look()
    measured = column(page, "run_seconds")
    assert sort_by(page, "run_seconds") == "ascending"
    rising = column(page, "run_seconds")
    assert sort_by(page, "run_seconds") == "descending"
    falling = column(page, "run_seconds")
    assert sort_by(page, "run_seconds") == "none"
    assert column(page, "run_seconds") == measured
    known = len(numbers(measured))
    assert 0 < known < len(measured)
    for texts in (rising, falling):
        assert len(texts) == len(measured)
        assert set(texts[known:]) == {""}
    assert all(a <= b for a, b in pairwise(numbers(rising)))
    assert all(a >= b for a, b in pairwise(numbers(falling)))


def test_errors_with_powers_of_ten_sort_by_size(look):
    page = look()
    sort_by(page, "error")
    found = numbers(column(page, "error"))
    assert found[0] < 1e-15
    assert found[-1] > 1e-3
    assert all(a <= b for a, b in pairwise(found))


def test_a_click_sorts_words_and_only_one_heading_is_in_order(look):
    page = look()
    sort_by(page, "inputs")
    assert sort_by(page, "problem") == "ascending"
    found = column(page, "problem")
    assert found == sorted(found)
    states = page.execute_script(
        "return [...document.querySelectorAll('#measurements th')].map((th) => th.getAttribute('aria-sort'))"
    )
    assert sorted(states)[:2] == ["ascending", "none"]
    assert states.count("none") == len(states) - 1


def test_headings_can_be_chosen_with_the_keyboard(look):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = look()
    first = page.find_element(By.CSS_SELECTOR, "#measurements th button")
    page.execute_script("arguments[0].focus()", first)
    page.switch_to.active_element.send_keys(Keys.TAB)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    headings = page.find_elements(By.CSS_SELECTOR, "#measurements th")
    assert [heading.get_attribute("aria-sort") for heading in headings[:3]] == ["none", "ascending", "none"]
    found = column(page, "method")
    assert found == sorted(found)


@WIDTHS
def test_filters_show_the_rows_that_were_asked_for(look, run, width):
    from selenium.webdriver.support.select import Select

    page = look(width)
    shown = page.find_element("id", "shown")
    assert shown.text == f"Rows shown: {len(run)} of {len(run)}"

    Select(page.find_element("css selector", 'select[data-column="status"]')).select_by_visible_text("too large")
    expected = run[run["status"] == "too large"]
    assert column(page, "status") == ["too large"] * len(expected)
    assert shown.text == f"Rows shown: {len(expected)} of {len(run)}"

    page.find_element("name", "text").send_keys("LOGISTIC 3,000")
    assert set(column(page, "problem")) == {"logistic-map"}
    assert shown.text == f"Rows shown: 3 of {len(run)}"

    sort_by(page, "depth")
    sort_by(page, "depth")
    assert column(page, "depth") == ["12", "11", "10"]

    page.find_element("css selector", "#filters button").click()
    assert len(column(page, "problem")) == len(run)
    assert shown.text == f"Rows shown: {len(run)} of {len(run)}"


def test_a_choice_is_the_whole_text_and_not_a_part_of_it(look, run):
    from selenium.webdriver.support.select import Select

    page = look()
    Select(page.find_element("css selector", 'select[data-column="method"]')).select_by_visible_text("symbolic")
    assert len(column(page, "method")) == (run["method"] == "symbolic").sum()
    assert set(column(page, "method")) == {"symbolic"}


def saved_file(browser, link, name):
    """Save what a link offers, and read it."""
    browser.find_element("id", link).click()
    file, end = browser.saved / name, time.monotonic() + 30
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return file.read_text(encoding="utf-8")


def test_raw_data_can_be_saved(look, reported):
    page = look()
    rows = [json.loads(line) for line in (reported / "measurements.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [json.loads(line) for line in saved_file(page, "jsonl", "measurements.jsonl").splitlines()] == rows

    found = list(csv.DictReader(io.StringIO(saved_file(page, "csv", "measurements.csv"))))
    assert len(found) == len(load(reported))
    for row, entries in zip(rows, found, strict=True):
        assert list(entries) == list(row)
        assert entries["reason"] == row["reason"]
        assert entries["run_seconds"] == "" if row["run_seconds"] is None else float(entries["run_seconds"]) > 0


@SEEN
@WIDTHS
def test_nothing_is_wider_than_the_screen(look, width, scheme):
    page = look(width, scheme)
    page.execute_script("for (const details of document.querySelectorAll('details')) details.open = true")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    wide = page.execute_script(
        """
        return [...document.querySelectorAll("body *")]
          .filter((element) => element.checkVisibility() && !element.closest(".scroll table, svg"))
          .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
          .map((element) => element.outerHTML.slice(0, 80));
        """
    )
    assert wide == []


@WIDTHS
def test_pictures_suit_the_screen_and_can_be_read(look, width):
    """One form of each picture is shown, its letters at least as large as small print."""
    page = look(width)
    letters = page.execute_script(
        """
        return [...document.querySelectorAll(".picture")].map((picture) => {
          const drawn = [...picture.querySelectorAll("svg")].filter((svg) => svg.checkVisibility());
          const scale = drawn[0].getScreenCTM().a;
          const sizes = [...drawn[0].querySelectorAll("text")].map((text) => getComputedStyle(text).fontSize);
          return [drawn.length, scale * Math.max(...sizes.map(parseFloat))];
        });
        """
    )
    assert len(letters) == 7
    assert {count for count, _ in letters} == {1}
    assert min(size for _, size in letters) > 9


CONTRAST = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
function luminance(colour) {
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ground(element) {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!colour.endsWith(", 0)")) return colour;
  }
}
function contrast(element) {
  const [low, high] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
const told = [...document.querySelectorAll("body *")].filter((element) => !element.closest("svg")
  && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && element.checkVisibility());
return [told.length, Math.min(...told.map(contrast)), luminance(ground(document.body))];
"""


@SEEN
def test_words_stand_out_from_their_ground(look, scheme):
    """The Web Content Accessibility Guidelines ask for 4.5."""
    count, least, ground = look(DESK, scheme).execute_script(CONTRAST)
    assert count > 1000
    assert least > 4.5
    assert (ground > 0.9) if scheme == "light" else (ground < 0.05)


@SEEN
def test_lines_and_words_of_pictures_stand_out_from_their_ground(look, scheme, tmp_path):
    """By day ink on white, by night light on dark: read from the screen itself."""
    import numpy as np
    from matplotlib.image import imread

    page = look(DESK, scheme)
    picture = page.find_element("css selector", "#time-against-inputs .picture")
    assert picture.screenshot(str(tmp_path / "picture.png"))
    seen = imread(tmp_path / "picture.png")[..., :3].mean(axis=2)
    ground = np.median(seen)
    assert (ground > 0.95) if scheme == "light" else (ground < 0.15)
    assert np.abs(seen - ground).max() > 0.85  # words and axes, not the grid
    assert 0.005 < (np.abs(seen - ground) > 0.3).mean() < 0.3


def test_the_browser_loads_nothing_but_the_page(look):
    loaded = look().execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
