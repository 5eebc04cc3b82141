"""The page of string art says the next nail, and keeps the place."""

from __future__ import annotations

import pytest
from helpers import wait_until

from artgen.cli import main

pytestmark = pytest.mark.browser


def test_the_page_reads_the_sequence_and_keeps_the_place(browser, tmp_path):
    line = ["make", "string", "sample:cat", "--nails", "40", "--board", "12cm"]
    assert main([*line, "--thread", "0.6mm", "-q", "--out", str(tmp_path)]) == 0
    folder = tmp_path / "cat-string"
    nails = (folder / "sequence.txt").read_text().splitlines()[-1].split()
    page = browser.new_context().new_page()
    page.add_init_script(
        "window.said = []; window.speechSynthesis.speak = u => window.said.push(u.text)"
    )
    page.goto((folder / "read-aloud.html").as_uri())
    assert page.text_content("#nail") == nails[0]
    for _ in range(3):
        page.click("#go")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.said") == nails[1:5]
    page.reload()
    assert page.text_content("#nail") == nails[4]
    # Storage reaches another tab when it likes; until then that tab must not overwrite it.
    other = page.context.new_page()

    def finds_the_place():
        other.goto(page.url)
        return other.text_content("#nail") == nails[4]

    wait_until(finds_the_place)
    other.close()
    page.fill("#step", str(len(nails) - 1))
    page.dispatch_event("#step", "change")
    assert page.text_content("#nail") == nails[-1]
    assert page.text_content("#next") == "This is the last nail."
    assert page.locator("#all").is_hidden()
    for step, shown in (("3.4", "3"), ("", "3")):
        page.fill("#step", step)
        page.dispatch_event("#step", "change")
        assert (page.input_value("#step"), page.text_content("#nail")) == (shown, nails[3])
    # A new pace counts while it reads.
    page.click("#auto")
    page.evaluate("window.setInterval = (_, wait) => { window.wait = wait; return 1 }")
    page.fill("#pace", "9")
    page.dispatch_event("#pace", "change")
    assert page.evaluate("window.wait") == 9000
    assert page.get_attribute("#auto", "aria-pressed") == "true"
    page.context.close()
