"""Who reads Portuguese gets the same page: nothing left out, and the same things to type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("docs/how-to", "docs/tutorial")
TWIN = ".pt-BR.md"
PAGES = [
    page
    for page in (ROOT / "README.md", *(p for f in FOLDERS for p in sorted((ROOT / f).glob("*.md"))))
    if not page.name.endswith(TWIN)
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Texts to be read aloud are examples of a language: another one has others.
PROSE = ("markdown",)
# What a reader fills in, and the language in which a command answers.
FILLED_IN = {"PASTA": "FOLDER", "USUÁRIO": "USER", "CURSO": "COURSE", "AULA": "LESSON"}
FILLED_IN |= {"curso.zip": "course.zip", "carta.pdf": "letter.pdf"}
ANSWERS = " --language pt-br"


def get_twin(page):
    return page.with_name(page.name.removesuffix(".md") + TWIN)


def name(page):
    return str(page.relative_to(ROOT))


def read_headings(text):
    """The levels alone: "##" for "## Install"."""
    return re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)


def read_rows(text):
    """The number of cells of each row of the tables."""
    rows = re.findall(r"^\|.*\|$", FENCE.sub("", text), re.MULTILINE)
    return [row.count("|") for row in rows]


def read_items(text):
    """The marks of the lists, in order: a step or a point that is missing shows."""
    return re.findall(r"^(-|\d+\.) ", FENCE.sub("", text), re.MULTILINE)


def read_blocks(text):
    """The blocks of code with their languages, without comments and what readers fill in."""
    blocks = []
    for language, code in FENCE.findall(text):
        lines = (re.sub(r"(^|\s+)# .*$", "", line) for line in code.splitlines())
        told = "" if language in PROSE else "\n".join(line for line in lines if line.strip())
        blocks.append((language, normalise(told)))
    return blocks


def normalise(code):
    """Words of people in quotes, placeholders and the language of an answer may differ."""
    code = re.sub(r'(--(?:name|reason)) "[^"]*"', r"\1 WORDS", code.replace(ANSWERS, ""))
    code = re.sub(r"(--statement-language) \S+", r"\1 LANGUAGE", code)
    for theirs, ours in FILLED_IN.items():
        code = re.sub(rf"(?<![\w.]){re.escape(theirs)}\b", ours, code)
    return code


def read_names(text):
    """What one looks for elsewhere: settings, variables and options, wherever they are named."""
    code = " ".join(re.findall(r"`([^`\n]+)`", FENCE.sub("", text))).replace(ANSWERS, "")
    return set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|(?<!\S)--[a-z][a-z-]+", code))


def read_links(page, text):
    """Where the page leads, whichever language is read there."""
    targets = LINK.findall(FENCE.sub("", text))
    return {target.replace(TWIN, ".md") for target in targets} - {page.name}


def find_differences(page, text, twin):
    """What the two texts of a page do not have in common, by what it is."""
    found = {}
    for read in (read_headings, read_rows, read_items, read_blocks, read_names):
        if read(text) != read(twin):
            found[read.__name__] = (read(text), read(twin))
    if (links := read_links(page, text)) != (others := read_links(page, twin)):
        found["read_links"] = (links - others, others - links)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_portuguese_page_has_what_the_english_one_has(page):
    assert get_twin(page).exists()
    assert find_differences(page, page.read_text(), get_twin(page).read_text()) == {}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_page_leads_to_its_twin_and_stays_in_its_language(page):
    twin = get_twin(page)
    assert f"]({twin.name})" in page.read_text()
    assert f"]({page.name})" in twin.read_text()
    led = [t for t in LINK.findall(FENCE.sub("", page.read_text())) if t.endswith(TWIN)]
    assert led == [twin.name]
    for target in LINK.findall(FENCE.sub("", twin.read_text())):
        other = twin.parent / target
        if target.endswith(".md") and other != page and not target.endswith(TWIN):
            assert not get_twin(other).exists(), f"{target} is there in Portuguese too"


def test_no_page_is_portuguese_alone():
    twins = [twin for folder in FOLDERS for twin in (ROOT / folder).glob(f"*{TWIN}")]
    assert twins
    assert [name(t) for t in twins if not t.with_name(t.name.replace(TWIN, ".md")).exists()] == []


ENGLISH = """# Bread

[Em português](bread.pt-BR.md)

## Bake

- Wait.

```sh
bake --hot LESSON  # an hour
```

| `OVEN_HEAT` | hot |
|---|---|

### Redis as the oven

See [butter](butter.md).
"""
PORTUGUESE = """# Pão

[In English](bread.md)

## Asse

- Espere.

```sh
bake --hot AULA  # uma hora
```

| `OVEN_HEAT` | quente |
|---|---|

### O Redis como forno

Veja [manteiga](butter.pt-BR.md).
"""


@pytest.mark.parametrize(
    ("left_out", "instead", "seen"),
    [
        ("", "", None),
        ("### O Redis como forno\n", "", "read_headings"),
        ("### O Redis", "## O Redis", "read_headings"),
        ("- Espere.\n", "", "read_items"),
        ("--hot ", "", "read_blocks"),
        ("AULA", "PÃO", "read_blocks"),
        ("```sh\nbake --hot AULA  # uma hora\n```\n", "", "read_blocks"),
        ("| `OVEN_HEAT` | quente |\n", "", "read_rows"),
        ("OVEN_HEAT", "calor", "read_names"),
        ("[manteiga](butter.pt-BR.md)", "manteiga", "read_links"),
    ],
)
def test_what_a_translation_leaves_out_is_seen(left_out, instead, seen):
    twin = PORTUGUESE.replace(left_out, instead) if left_out else PORTUGUESE
    found = find_differences(Path("bread.md"), ENGLISH, twin)
    assert (seen in found) if seen else found == {}
