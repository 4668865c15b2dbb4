"""A real Chromium, started alike by all tests that look at pages."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def open_chromium(*switches):
    """While it lives, its event loop is in this thread: Django asks no database beside it."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=[*SWITCHES, *switches])
        yield browser
        browser.close()


@contextmanager
def open_as_admin(live_server, *switches, permissions=()):
    """A page signed in as the administrator; whatever the console complains of fails the test."""
    complaints: list[str] = []
    with open_chromium(*switches) as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.grant_permissions(list(permissions))
        page = context.new_page()
        page.goto(f"{live_server.url}/login/")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", "password")
        page.click("main button[type=submit]")
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: "Content Security" in m.text and complaints.append(m.text))
        yield page
    assert complaints == []
