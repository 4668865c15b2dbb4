import os
import pathlib
import re
import time

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag
from hypothesis import given, settings
from hypothesis import strategies as st

from narration.markup import render
from narration.markup.mathml import build_mathml
from narration.markup.sanitise import sanitise
from narration.text import build_spoken, cut_runs, sentence_anchor
from narration.text.policy import DEFAULT_RULES, apply_rules
from narration.values import Role, RunKind

KITCHEN_SINK = """\
---
title: hidden
---

# Hello *World*. Again

A para with **bold. And** next <b>raw</b> `code()` and $E=mc^2$. See [the link](http://a.b "t")
soft
hard  \nbreak. ![inline alt. Two](x.png) end.<!-- c --> H<sub>2</sub>O :) 😀

1. one
2. two **x**

   second part

- a
  - b
- [ ] todo

> quote & "here". It's <kbd>Ctrl</kbd>.
> {: .callout}

| Name | Price |
|---|--:|
| Bob. *Ann* | R$ 5 |
|  | `6` |

```python
print("x < y")
```

$$
\\frac{1}{2}
$$

![Figure 1.1](images/a.png)

![cap](b.png){alt='A comic. It shows.' width="3"}

::::: callout
## Title {.x}
Text[^1] here [@smith].
:::::

[^1]: note

<div onclick="x">Some <b>block</b> &amp; text<script>alert(1)</script></div>

{% filename %}cmd{% endfilename %}

Ends  with   spaces and~~struck~~ <br>raw break <sup>open. Closed *em* {{ variable }} done.
"""


def display_text(node):
    """What the player takes an element for."""
    if isinstance(node, NavigableString):
        return str(node)
    if isinstance(node, Tag) and node.has_attr("data-display-length"):
        return "\0" * int(node["data-display-length"])
    return "".join(display_text(child) for child in node.children)


def cuts(passage, language):
    return [(cut.start, cut.end) for cut in cut_runs(passage.runs, passage.language or language)]


def assert_contract(document, language):
    """Every sentence's elements show its display text, in order, and nothing else is marked."""
    soup = BeautifulSoup(document.html, "html.parser")
    shown, ids = {}, []
    for element in soup.find_all(attrs={"data-narration": True}):
        shown[element["data-narration"]] = shown.get(element["data-narration"], "") + display_text(
            element
        )
    ids = [element["id"] for element in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    expected = {}
    for number, passage in enumerate(document.passages, 1):
        assert passage.anchor == f"p{number}"
        assert passage.anchor in ids
        for k, (start, end) in enumerate(cuts(passage, language), 1):
            expected[sentence_anchor(passage.anchor, k)] = passage.text[start:end]
    assert list(shown) == list(expected)
    assert set(expected) <= set(ids)
    for name, text in expected.items():
        assert len(shown[name]) == len(text), name
        assert all(a in ("\0", b) for a, b in zip(shown[name], text, strict=True)), name


def said(markdown, language="en"):
    """What is said under the default rules, silent sentences left out."""
    lines = []
    for passage in apply_rules(render(markdown, language).passages, DEFAULT_RULES, language):
        for start, end in cuts(passage, language):
            said_in = passage.language or language
            lines.append(build_spoken(passage.runs, start, end, said_in)[1].text)
    return [line for line in lines if line]


@pytest.mark.parametrize("language", ["en", "pt-BR", "fr"])
def test_the_page_shows_exactly_what_the_passages_say(language):
    document = render(KITCHEN_SINK, language)
    assert len(document.passages) > 15
    assert_contract(document, language)


def lesson_files():
    folder = os.environ.get("NARRATION_LESSONS")
    return sorted(pathlib.Path(folder).rglob("*.md")) if folder else []


DEMO = sorted(pathlib.Path("courses/demo").rglob("*.md"))


@pytest.mark.parametrize("path", DEMO, ids=[path.name for path in DEMO])
def test_nothing_suspicious_is_left_in_what_the_demo_says(path):
    """No digit, symbol or address reaches a voice; there are no exceptions."""
    language = "pt-BR" if "pt-BR" in path.parts else "en"
    document = render(path.read_text(), language)
    assert_contract(document, language)
    lines = said(path.read_text(), language)
    assert lines
    for line in lines:
        assert not re.search(r"[^\w\s.,;:?!'’-]|\d|_|https?|www", line), line


@pytest.mark.skipif(not lesson_files(), reason="NARRATION_LESSONS names no folder of lessons")
def test_real_lessons_keep_the_contract_and_leave_nothing_unspeakable():
    for path in lesson_files():
        language = "pt-BR" if path.parent.name == "pt" else "en"
        text = path.read_text()
        assert_contract(render(text, language), language)
        for line in said(text, language):
            assert not set(line) & set("{}<>[]()|\\*_#%$@=0123456789"), (path.name, line)


@given(st.text(max_size=200) | st.text(
    alphabet="ab. A1\n #*_`[](){}<>!|-+$\\:^~&'\"=/%@ \t🎉é", max_size=150))  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_any_text_renders_and_keeps_the_contract(text):
    assert_contract(render(text, "en"), "en")


def test_roles_follow_the_structure():
    source = "# H\n\nb\n\n- l\n\n> q\n\n|a|\n|-|\n|1|\n\n```\nx\n```\n\n![alt](i.png)"
    assert [passage.role for passage in render(source, "en").passages] == [
        Role.HEADING, Role.BODY, Role.LIST_ITEM, Role.QUOTATION, Role.TABLE_ROW, Role.CODE,
        Role.FIGURE,
    ]  # fmt: skip


def test_silent_blocks_do_not_shift_anchors():
    document = render("One.\n\n***\n\n<!-- no -->\n\n:)\n\n😀\n\nTwo.", "en")
    assert [(p.anchor, p.text) for p in document.passages] == [("p1", "One."), ("p2", "Two.")]
    assert "😀" in document.html
    assert "no" not in BeautifulSoup(document.html, "html.parser").get_text()


def test_a_sentence_across_markup_has_several_elements_and_one_id():
    html = render("One *two* three.", "en").html
    assert html.count('data-narration="p1-1"') == 3
    assert html.count('id="p1-1"') == 1


def test_runs_know_how_they_are_written():
    runs = render("See [here](http://a.b) `len` and $x$.", "en").passages[0].runs
    assert [(run.text, run.kind) for run in runs] == [
        ("See ", RunKind.PROSE), ("here", RunKind.LINK), (" ", RunKind.PROSE),
        ("len", RunKind.CODE), (" and ", RunKind.PROSE), ("x", RunKind.MATH), (".", RunKind.PROSE),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("markdown", "language", "lines"),
    [
        ("1. Go\n2. Stop", "en", ["one: Go", "two: Stop"]),
        ("3. Vá\n4. Pare", "pt-BR", ["três: Vá", "quatro: Pare"]),
        ("- Go\n\n- Stop", "en", ["Go", "Stop"]),
        ("| A | B |\n|-|-|\n| 1 | x y |\n| | z |", "en", ["A: one", "B: x y", "B: z"]),
        ("| A | B |\n|-|-|", "en", ["A", "B"]),
        ("```python\nx = 1\n```", "en", ["Code example, Python"]),
        ("```html\n<p>\n```", "pt-BR", ["Exemplo de código, agá tê eme éle"]),
        ("    indented", "pt", ["Exemplo de código"]),
        ("```python\nx\n```", "fr", ["Code example, Python"]),
        ("![A cat](c.png)", "en", ["Figure: A cat"]),
        ("![Um gato](c.png)", "pt-BR", ["Figura: Um gato"]),
        ("![Figura 2](c.png)", "pt-BR", ["Figura dois"]),
        ("![](c.png)", "en", []),
        ("![cap](c.png){alt='A dog.'}", "en", ["Figure: A dog.", "cap"]),
        ("$$x^2$$", "en", ["x squared"]),
        ("It is $x^2$.", "pt-BR", ["It is x ao quadrado."]),
        ("Costs $5 and $6.", "en", ["Costs five dollars and six dollars."]),
        ("A [link](https://example.org/x?y=z).", "en", ["A link."]),
        ("<https://example.org>", "en", ["example dot org"]),
        ("Text[^1].\n\n[^1]: Note.", "en", ["Text.", "Footnote: Note."]),
        ("As said [@smith2010, p. 3].", "en", ["As said."]),
        ("{% set x = '<b>' %}\n\nHi {{ name }} there.", "en", ["Hi there."]),
        ("Run: {% filename %}cmd{% endfilename %}", "en", ["Run:"]),
        ("## Title {: .callout}\n\ntext\n{: .note}", "en", ["Title", "text"]),
        ("::: callout\n\nInside.\n\n:::\n", "en", ["Callout: Inside."]),
        ("Press <kbd>Ctrl+Z</kbd>.", "en", ["Press control plus Z."]),
        ("Line<br>break", "en", ["Line break"]),
        ("<p>Raw <b>block</b></p>", "en", ["Raw block"]),
        ("+---+---+\n| a | b |\n+---+---+", "en", ["Table"]),
        ("- [x] done", "en", ["done"]),
    ],
)  # fmt: skip
def test_constructs_are_said_sensibly(markdown, language, lines):
    assert said(markdown, language) == lines


def test_boxes_and_lists_nest_and_always_close():
    html = render("::: callout\n\n:::: challenge\n\nDeep.\n\n::::\n\nText", "en").html
    assert html.count("<aside") == html.count("</aside>") == 2
    assert render("- a\n\n  b\n  - c\n\n  d", "en").html.count("</li>") == 2


@pytest.mark.parametrize(
    ("markdown", "language", "shown"),
    [
        ("::: objectives\n- Hear.\n:::", "en", ["Objectives"]),
        ("::: objectives\n- Ouvir.\n:::", "pt-BR", ["Objetivos"]),
        ("> [!NOTE]\n> It rains.", "en", ["Note"]),
        ("> It rains.\n{: .challenge}", "en", ["Challenge"]),
        ("::: {.challenge .silent}\nIt rains.\n:::", "en", ["Challenge"]),
        ("::: challenge\n::: solution\nIt rains.\n:::\n:::", "en", ["Challenge", "Solution"]),
        ("::: challenge\n## Its own\n\nIt rains.\n:::", "en", []),
        ("::: box\nIt rains.\n:::", "en", []),
    ],
)
def test_a_box_shows_the_name_the_ear_hears(markdown, language, shown):
    document = render(markdown, language)
    assert re.findall(r'<p class="box-title">([^<]*)</p>', document.html) == shown
    # The first sentence begins with its own words: the name is no part of it.
    for span in re.findall(r'<span data-narration="[^"]*"[^>]*>([^<]*)', document.html):
        assert not any(span.startswith(name) for name in shown)


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a <img src=x onerror=alert(1)> b",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,xx)",
    "![x](javascript:alert(1))",
    '[x](http://a.b "\\" onmouseover=alert(1) x=\\"")',
    '![a" onerror="alert(1)](x.png)',
    "$\\href{javascript:alert(1)}{x}$",
    "$\\text{<img src=x onerror=alert(1)>}$",
    '$\\text{<span data-narration="p9-9" id="p9-9">x</span>}$',
    '$$\\text{</math><script>alert(1)</script>}$$',
    '<span data-narration="p9-9" id="p9-9">x</span>',
    '<div data-narration="p9-9" id="p9-9">x</div>',
    '<kbd data-narration="p9-9" id="p9-9" onclick="x">k</kbd>',
    '<svg onload=alert(1)></svg>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '<style>*{background:url(x)}</style>',
    '```"onclick="alert(1)\nx\n```',
    '```x" id="p9-9\nx\n```',
    '::: "onclick=alert(1)\nx\n:::',
    "| <script>a</script> |\n|-|\n| <img onerror=x> |",
    '{% filename %}<script>alert(1)</script>{% endfilename %}',
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "![x](a.png){alt='\"><script>alert(1)</script>'}",
    "<math><mtext><script>alert(1)</script></mtext></math>",
    "<a href='javascript:alert(1)'>x</a>",
    "<!--><script>alert(1)</script>-->",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_authors_cannot_inject_scripts_or_our_attributes(attack):
    soup = BeautifulSoup(render(attack + "\n\nlast", "en").html, "html.parser")
    assert not soup.find(["script", "style", "iframe", "svg", "object"])
    for element in soup.find_all(True):
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
        assert "p9-9" not in (element.get("id"), element.get("data-narration"))
        for name in ("href", "src"):
            assert not element.get(name, "").lower().lstrip().startswith(("javascript", "data"))


def test_white_space_is_collapsed_in_the_display_text():
    document = render("One  \t two\n  *three*\tfour `a   b`", "en")
    assert document.passages[0].text == "One two three four a b"


def test_a_formula_brings_nothing_but_mathematics_into_the_page():
    assert "href" not in build_mathml(r"\href{https://example.org}{x}")
    assert "<code>" in build_mathml("{")


def test_only_our_anchors_and_classes_pass():
    html = sanitise(
        '<p id="login" class="evil note"><span data-narration="x" data-display-length="-1">a</span>'
    )
    assert html == '<p class="note"><span>a</span></p>'


def test_safe_links_keep_their_address_and_do_not_open_the_page_to_others():
    html = render("[a](../x.md) [b](mailto:a@b.org) ![i](i.png)", "en").html
    assert 'href="../x.md" rel="noopener"' in html
    assert 'href="mailto:a@b.org"' in html
    assert 'src="i.png"' in html


@pytest.mark.parametrize(
    "unit",
    ["A sentence with *emphasis*. ", "> ", "- ", "[", "![", "*a ", "`", "$a$ ", "|a", "<b>", "{%",
     "{{", "{a=", "::: x\n", "[^1]", "a\n\n", "# h\n", "1. a\n", "\\", "{: ", "[@a", "**a. b** "],
)  # fmt: skip
def test_a_large_document_renders_in_linear_time(unit):
    started = time.process_time()
    render(unit * (40_000 // len(unit)), "en")
    assert time.process_time() - started < 6
