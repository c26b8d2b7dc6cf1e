"""No address beyond this server is named or called: by any page, by an exported figure, by a
hostile upload or link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine import figures
from pages import home
from pages.shell import lessons
from tests.browser import hostile
from tests.browser.serve import serve

OWN = ("127.0.0.1", "localhost")
LINKS_ALLOWED: tuple[
    str, ...
] = ()  # hosts that a page may link to, each with its reason: none does
TOPICS = sorted(path.stem for path in lessons.FOLDER.glob("*.toml"))
CLOUD = ".modebar-btn[data-title^='Share']"  # plotly's button that sends a chart to its cloud


class Watched:
    """What a page asks for from now on, and whether a script of a stranger ran."""

    def __init__(self, page: Page) -> None:
        self.page, self.urls, self.dialogs = page, [], []
        page.on("request", lambda request: self.urls.append(request.url))
        page.on("websocket", lambda socket: self.urls.append(socket.url))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def outside(self) -> list[str]:
        """Addresses asked for that are not of this server (or in the page itself)."""
        return [url for url in self.urls if is_foreign(url)]

    def drawn(self) -> list[str]:
        """Addresses of elsewhere, and scripts, that the page links to or shows now."""
        found = self.page.evaluate(
            """() => [...document.querySelectorAll('*')].flatMap(e =>
                 ['href', 'src', 'xlink:href', 'action'].map(name => e.getAttribute(name))
                 .filter(Boolean).map(a => {
                   try { return new URL(a, document.baseURI).href } catch { return a }
                 }))"""
        )
        return [
            url for url in found if is_foreign(url) and urlsplit(url).hostname not in LINKS_ALLOWED
        ]

    def check(self) -> None:
        """Nothing was asked of elsewhere, nothing of elsewhere is drawn, and no script of a
        stranger ran.
        """
        assert self.outside() == [] and self.drawn() == [] and self.dialogs == []
        assert self.page.evaluate("window.pwned") is None
        assert self.page.locator(CLOUD).count() == 0


def is_foreign(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about", "file") and parts.hostname not in OWN


@pytest.fixture
def watched(page: Page) -> Watched:
    return Watched(page)


def settled(page: Page) -> None:
    """Wait until the page's script has run and something stands on it."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def test_home_asks_this_server_alone(watched: Watched, server: str) -> None:
    watched.page.goto(server)
    expect(watched.page.locator(".main-svg").first).to_be_visible()
    settled(watched.page)
    watched.check()
    assert len(watched.urls) > 20, "what the page asks for is seen"


@pytest.mark.parametrize("topic", TOPICS)
def test_every_tab_asks_this_server_alone(watched: Watched, server: str, topic: str) -> None:
    watched.page.goto(f"{server}/{topic}")
    for label in lessons.load(topic).tabs.values():
        tab = watched.page.get_by_role("tab", name=label, exact=True)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(watched.page.locator(".st-key-controls:visible").first).to_be_visible()
        settled(watched.page)
        watched.check()


@pytest.fixture(scope="module")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve("tests/browser/hostile_page.py", tmp_path_factory.mktemp("plain")) as address:
        yield address


def test_what_would_be_a_link_is_text_and_the_check_would_see_it(
    watched: Watched, plain_server: str
) -> None:
    # Raw: without the playground's guard and without its texts.
    with watched.page.expect_request(lambda request: hostile.HOST in request.url):
        watched.page.goto(f"{plain_server}/?raw=true")
    expect(watched.page.get_by_text("the end")).to_be_visible()
    expect(watched.page.locator(".main-svg").first).to_be_visible()
    assert any(hostile.HOST in url for url in watched.outside()), "raw, a picture is fetched"
    assert len([url for url in watched.drawn() if hostile.HOST in url]) > 8, "raw, links are drawn"
    watched.urls.clear()
    watched.page.goto(plain_server)
    expect(watched.page.get_by_text("the end")).to_be_visible()
    expect(watched.page.locator(".main-svg").first).to_be_visible()
    watched.check()
    expect(watched.page.get_by_test_id("stMarkdown").first).to_have_text(
        re.compile(r"^\[link\]\u2060\(http\u2060://evil")
    )


UPLOADS = {  # page and settings -> the chart that shows that the upload was taken
    "formats?formats_tab=Race&race_table=upload&race_repeats=1": ".st-key-race_chart .main-svg",
    "formats?formats_tab=Bytes+read&bytes_read_table=upload": ".st-key-bytes_read_strip .main-svg",
    "formats?formats_tab=Anatomy&anatomy_source=upload": ".st-key-anatomy_map .main-svg",
    "spark?partitioning_table=upload": ".st-key-partitioning_rows .main-svg",
    "leakage?leakage_tab=Audit&audit_source=upload": ".st-key-audit_columns .main-svg",
    "sampling?lineage_source=upload": ".st-key-lineage_plane .main-svg",
}


@pytest.mark.parametrize("address", UPLOADS)
def test_an_upload_of_hostile_names_and_values_is_shown_and_not_followed(
    watched: Watched, server: str, tmp_path: Path, address: str
) -> None:
    page = watched.page
    page.goto(f"{server}/{address}")
    page.locator("input[type=file]").first.set_input_files(
        hostile.upload(tmp_path, "csv" if "audit" in address else "parquet")
    )
    expect(page.locator(UPLOADS[address]).first).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    for panel in ("Code", "A/B", "Why"):
        page.locator("[class*=st-key][class*=_panel]").get_by_role("radio", name=panel).click()
        settled(page)
        watched.check()


def test_a_file_that_cannot_be_read_is_refused_in_words(
    watched: Watched, server: str, tmp_path: Path
) -> None:
    path = tmp_path / f"![s](http---{hostile.HOST}).avro"
    path.write_bytes(b"Obj\x01" + b"<img src=x onerror=window.pwned=1>" * 10)
    watched.page.goto(f"{server}/leakage?leakage_tab=Audit&audit_source=upload")
    watched.page.locator("input[type=file]").first.set_input_files(path)
    expect(watched.page.get_by_test_id("stAlert").get_by_text("Avro")).to_be_visible()
    watched.check()


def _links(text: str) -> dict[str, dict[str, str]]:
    """Return, for every text that a link may hold, the link that holds this one."""
    toml = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return {
        "etl": {"etl_tab": "Quality gate", "quality_rules": f'["{toml}"]\nin = ["{toml}"]'},
        "orchestration": {
            "orchestration_tab": "Schedules",
            "schedule_cron": text,
            "schedule_zone": text,
        },
        "spark": {"partitioning_typed": text},
        "sampling": {"lineage_source": "drawn", "lineage_drawn": text},
    }


@pytest.mark.parametrize("topic", ["etl", "orchestration", "spark", "sampling"])
def test_a_link_of_hostile_texts_is_shown_and_not_followed(
    watched: Watched, server: str, topic: str
) -> None:
    for text in (hostile.TEXTS[1], hostile.TEXTS[4], " ".join(hostile.TEXTS)):
        watched.page.goto(f"{server}/{topic}?{urlencode(_links(text)[topic])}")
        expect(watched.page.locator(".st-key-controls:visible").first).to_be_visible()
        settled(watched.page)
        watched.check()


def test_a_page_lies_under_no_other_sites_page_and_loads_no_other_hosts_picture(
    watched: Watched, server: str
) -> None:
    refused: list[str] = []
    watched.page.on("console", lambda message: refused.append(message.text))
    watched.page.goto(server)
    settled(watched.page)
    watched.page.evaluate("""async () => {
        const picture = new Image();
        const failed = new Promise(done => { picture.onerror = picture.onload = done });
        picture.src = 'http://evil.example/x.png';
        await failed;
        await fetch('http://evil.example/y').catch(() => 0);
    }""")
    assert len([text for text in refused if "Content Security Policy" in text]) >= 2
    headers = watched.page.request.get(server).headers
    assert "frame-ancestors 'self'" in headers["content-security-policy"]


def drawn_file(page: Page, text: str, path: Path) -> Locator:
    """Open an exported figure as a file and return its chart."""
    path.write_text(text, encoding="utf-8")
    page.goto(path.as_uri())
    chart = page.locator(".js-plotly-plot")
    expect(chart.locator(".main-svg").first).to_be_visible()
    chart.hover()
    return chart


def test_an_exported_figure_asks_nobody_and_offers_no_cloud(
    watched: Watched, tmp_path: Path
) -> None:
    figure = go.Figure(
        go.Scatter(x=[1, 2], y=[1, 2], text=list(hostile.TEXTS[:2]), mode="markers+text")
    )
    raw = figure.to_html(include_plotlyjs=True, config={"showSendToCloud": True})
    expect(drawn_file(watched.page, raw, tmp_path / "raw.html").locator(CLOUD)).to_have_count(
        1
    )  # so it would be seen
    for number, drawn in enumerate((figure, home.preview("sampling"), home.preview("formats"))):
        chart = drawn_file(watched.page, figures.to_html(drawn), tmp_path / f"{number}.html")
        expect(chart.locator(".modebar-btn--logo")).to_have_count(0)
        with watched.page.expect_download() as saved:  # its camera still works under the policy
            chart.locator(
                ".modebar-btn[data-title*='PNG'], .modebar-btn[data-title*='png']"
            ).first.click()
        assert saved.value.suggested_filename.endswith(".png")
        watched.check()


def test_an_exported_figure_of_hostile_names_runs_none_of_them(
    watched: Watched, tmp_path: Path
) -> None:
    figure = go.Figure(
        go.Bar(x=list(range(len(hostile.TEXTS))), y=list(hostile.TEXTS), orientation="h")
    )
    figure.update_layout(title={"text": hostile.TEXTS[6]}, height=900)
    drawn_file(watched.page, figures.to_html(figure), tmp_path / "figure.html")
    watched.check()
    raw = figure.to_html(include_plotlyjs=True)
    drawn_file(watched.page, raw, tmp_path / "raw.html")
    assert any(hostile.HOST in url for url in watched.drawn()), "raw, a link is drawn"


def test_the_guard_is_before_the_real_server(browser: Browser, server: str) -> None:
    context = browser.new_context()
    evil = {"Origin": "http://evil.example"}
    assert context.request.get(f"{server}/_stcore/health", headers=evil).status == 403
    assert (
        context.request.get(f"{server}/_stcore/health", headers={"Host": "evil.example"}).status
        == 403
    )
    assert context.request.get(f"{server}/_stcore/health").status == 200
    context.close()
