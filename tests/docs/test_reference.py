"""The reference falls behind the code only with a failing test."""

import re
from pathlib import Path

import pytest

from narration import api, conf
from tests.helpers import narrate

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "docs" / "reference"
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"")


def read(name):
    return (REFERENCE / name).read_text()


def find_undocumented(names, page):
    text = read(page)
    return [name for name in names if f"`{name}" not in text]


def test_every_setting_is_documented():
    assert find_undocumented([*conf.DEFAULTS, *conf.ENGINE_KEYS], "settings.md") == []


def test_every_variable_of_the_environment_is_documented():
    source = "".join(
        (ROOT / "config" / "settings" / f"{name}.py").read_text()
        for name in ("base", "dev", "prod")
    )
    names = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", source))
    assert len(names) > 5
    assert find_undocumented(names, "settings.md") == []


def test_every_check_is_documented():
    source = (ROOT / "narration" / "checks.py").read_text()
    ids = set(re.findall(r"narration\.[EW]\d{3}", source))
    assert len(ids) >= 12
    assert find_undocumented(ids, "checks.md") == []


def test_every_command_is_documented():
    commands = [
        path.stem
        for app in ("narration", "courses")
        for path in (ROOT / app / "management" / "commands").glob("*.py")
        if path.stem != "__init__"
    ]
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(commands) >= 3
    assert len(targets) >= 8
    assert find_undocumented([*commands, *(f"make {t}" for t in targets)], "commands.md") == []


@pytest.mark.django_db(transaction=True)
def test_every_field_of_a_manifest_is_documented(note):
    narrate(note)
    manifest = api.get_manifest(note, language="en", user=None, draft=True)
    fields = {*manifest, *manifest["segments"][0], *manifest["files"], *manifest["files"]["mp3"]}
    assert find_undocumented([*fields, *manifest["voices"][0]], "manifest.md") == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    for match in LINK.finditer(page.read_text()):
        target = match[1] or match[2]
        if not re.match(r"[a-z]+:|/", target):
            assert (page.parent / target).exists(), target
