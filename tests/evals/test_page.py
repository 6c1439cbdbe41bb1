"""The report in a real browser."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sekisho
from sekisho.evals import eval_sets, measure_guard, write_report
from sekisho.guards import BoundGuard

from .scripted import WORDS, KeywordGuard, small_sets

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER: install Debian's chromium (make system)"
)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    guard = BoundGuard(KeywordGuard(WORDS, name="fast"), sekisho.load_policy("base"))
    report = measure_guard(guard, eval_sets(small_sets(folder)), latency_sample=5, resamples=20)
    return write_report(report, folder / "out")[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--headless=new", "--disable-gpu"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_asks_for_nothing_and_fits(browser: Any, page_file: Path, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(page_file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("figure svg").first.bounding_box()
    assert shown["width"] > 200
    assert shown["height"] > 80
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(251, 250, 246)" if scheme == "light" else "rgb(18, 21, 28)")
    # Marks take their colours from the style sheet, also inside the drawings.
    fill = page.evaluate("getComputedStyle(document.querySelector('svg [fill=\"var(--g1)\"]')).fill")
    assert fill == ("rgb(36, 80, 184)" if scheme == "light" else "rgb(126, 166, 255)")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser: Any, page_file: Path, scheme: str) -> None:
    """Every colour that text is set in, against page and card: WCAG's 4.5 to 1."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(page_file.as_uri())
    ratios = page.evaluate(
        """() => {
        const light = c => {
          const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
          const [r, g, b] = c.match(/\\d+/g).slice(0, 3).map(linear);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const probe = document.body.appendChild(document.createElement('i'));
        const of = name => {
          probe.style.color = `var(--${name})`;
          return light(getComputedStyle(probe).color);
        };
        const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const found = [['warn-ink', 'warn', ratio(of('warn-ink'), of('warn'))]];
        for (const text of ['ink', 'soft', 'accent', 'bad', 'g1', 'g2', 'g3', 'g4'])
          for (const ground of ['paper', 'card']) found.push([text, ground, ratio(of(text), of(ground))]);
        return found;
        }"""
    )
    assert [pair for pair in ratios if pair[2] < 4.5] == []
    context.close()


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 390, "height": 900})
    opened = context.new_page()
    opened.goto(page_file.as_uri())
    yield opened
    context.close()


def shown(page: Any) -> int:
    return int(page.locator("tr[data-kind]:not([hidden])").count())


def test_errors_are_filtered(page: Any) -> None:
    everything = shown(page)
    assert page.locator("#error-count").inner_text() == f"{everything} of {everything} texts"
    page.select_option("[name=set]", "toxicchat_test")
    of_set = shown(page)
    assert 0 < of_set < everything
    assert page.locator("details.set:visible").count() == 1
    assert page.locator("details.set[open]").count() == 1
    page.select_option("[name=kind]", "false_negative")
    assert shown(page) == page.locator("tr[data-kind=false_negative]:visible").count()
    assert 0 < shown(page) < of_set
    page.click("#error-filters button")
    page.wait_for_function("document.querySelectorAll('tr[data-kind][hidden]').length === 0")
    page.select_option("[name=rule]", "violent_crime")  # of the case, or cited
    page.select_option("[name=language]", "en")
    rules = page.eval_on_selector_all(
        "tr[data-kind]:not([hidden])",
        "rows => rows.map(r => [r.parentElement.dataset.rule, r.dataset.cited, r.parentElement.dataset.language])",
    )
    assert {language for *_, language in rules} == {"en"}
    assert all("violent_crime" in (rule, *cited.split()) for rule, cited, _ in rules)
    assert any(rule != "violent_crime" for rule, *_ in rules)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_errors_without_scripts(browser: Any, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert not page.locator("#error-filters").is_visible()
    page.locator("details.set > summary").first.click()
    assert page.locator("tr[data-kind]").first.is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_errors_have_contrast(browser: Any, page_file: Path, scheme: str) -> None:
    """Every colour that stands in the browser, against what is behind it."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelectorAll('#errors details').forEach(one => { one.open = true; })")
    low = page.evaluate(
        """() => {
        const light = c => {
          const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
          const [r, g, b] = c.match(/\\d+/g).slice(0, 3).map(linear);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = e => {
          const colour = getComputedStyle(e).backgroundColor;
          return colour === 'rgba(0, 0, 0, 0)' && e.parentElement ? ground(e.parentElement) : colour;
        };
        const found = new Map();
        for (const one of document.querySelectorAll('#errors *')) {
          if (!one.checkVisibility() || !one.textContent.trim()) continue;
          const [a, b] = [light(getComputedStyle(one).color), light(ground(one))];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          if (ratio < 4.5) found.set(one.tagName + '.' + one.className, ratio);
        }
        return [...found];
        }"""
    )
    assert low == []
    context.close()
