"""What authors say about saying, and what is marked for a policy to leave unsaid."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narration.markup import render
from narration.markup.speech import Speech, find_pause, read_speech
from narration.text import cut_runs, say_runs
from narration.text.policy import SpeechRules, apply_rules, find_traits
from narration.values import Aspect, Role
from tests.markup.test_document import assert_contract, said


def said_under(markdown: str, language: str = "en", **rules: str) -> list[str]:
    """What is said under some speech rules, silent passages left out."""
    passages = apply_rules(render(markdown, language).passages, SpeechRules(**rules), language)
    lines = [say_runs(passage.runs, language).text for passage in passages]
    return [line for line in lines if line]


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ('We use [SQL]{say="sequel"} here.', ["We use sequel here."]),
        ("We use [SQL]{diga='sequel'} here.", ["We use sequel here."]),
        ('We use [S**Q**L]{say="sequel"}.', ["We use sequel."]),
        ('See [a [link](http://a.b)]{say="this"}.', ["See this."]),
        ('Run `ls -l`{say="list"} now.', ["Run list now."]),
        ('A [link](http://a.b){say="word"} here.', ["A word here."]),
        ("Say [nothing]{.silent} here.", ["Say here."]),
        ("Say [nada]{.mudo} here.", ["Say here."]),
        ("Listen. []{say='Only heard.'}", ["Listen. Only heard."]),
        ("Not said. {.silent}\n\nSaid.", ["Said."]),
        ("Not said.\n{.silent}\n\nSaid.", ["Said."]),
        ("{.silent}\nNot said.\n\nSaid.", ["Said."]),
        ("{.silent}\n\nNot said.\n\nSaid.", ["Said."]),
        ("# Title {.silent}\n\nSaid.", ["Said."]),
        ("{.silent}\n# Title\n\nSaid.", ["Said."]),
        ("{.silent}\n- a\n- b\n\nSaid.", ["Said."]),
        ("- a {.silent}\n- b", ["b"]),
        ("{.silent}\n```py\nx\n```\n\nSaid.", ["Said."]),
        ("{.silent}\n\n| a | b |\n|---|---|\n| c | d |\n\nSaid.", ["Said."]),
        ('```py\nx\n```\n\n{say="A loop."}\n\n```py\ny\n```', ["Code example, Python", "A loop."]),
        ("{say='Both.'}\n1. a\n2. b\n\nSaid.", ["Both.", "Said."]),
        ("::: silent\n\na\n\n- b\n\n:::\n\nSaid.", ["Said."]),
        ("::: {.mudo}\na\n:::\n\nSaid.", ["Said."]),
        ("::: instructor\n\nFor teachers.\n\n:::\n\nSaid.", ["Said."]),
        ("![A cat](c.png){.silent}", []),
        ('![A cat](c.png){say="Look at the cat."}', ["Look at the cat."]),
        ("Wait. {pause=800} Go.", ["Wait.", "Go."]),
        ("Wait {pause=1.5s} and go.", ["Wait", "and go."]),
        ("> [!NOTE]\n> Mind this.", ["Note: Mind this."]),
        ("> [!WARNING] Mind this.", ["Warning: Mind this."]),
        ('{% hint style="info" %}\nMind this.\n{% endhint %}', ["Note: Mind this."]),
        ('{% tabs %}\n{% tab title="Linux" %}\nx\n{% endtab %}\n{% endtabs %}', ["Linux", "x"]),
        ('<!--sec data-title="On Mac" id="a"\nces-->\nText.\n<!--endsec-->', ["On Mac", "Text."]),
        ("::: objectives\n- One\n- Two\n:::", ["Objectives: One", "Two"]),
        ("::: questions\n1. One\n2. Two\n:::", ["Questions: one: One", "two: Two"]),
        ("::: challenge\n## Try\nDo it.\n:::", ["Try", "Do it."]),
        ("[![Build](https://img.shields.io/x.svg)](https://ci)", []),
        ("![build](https://img.shields.io/x.svg)", []),
    ],
)  # fmt: skip
def test_authors_decide_what_is_said(markdown, lines):
    assert said(markdown) == lines
    document = render(markdown, "en")
    assert_contract(document, "en")
    for mark in ("say", "silent", "mudo", "pause", "{", "hint", "[!"):
        assert mark not in document.html.replace("nothing", "").replace("Only heard", "") or (
            mark == "say" and "Say" in markdown
        )


@pytest.mark.parametrize(
    "markdown",
    ["A [word]{says=x}.", "A [word]{say=x other=y}.", "A [word]{lang=--}.", "A {pause=x}."],
)
def test_what_is_misspelt_stays_as_typed(markdown):
    html = render(markdown, "en").html
    assert markdown[2:].rstrip(".") in "".join(html.split("<p", 1)[1].split(">", 2)[2])


def test_a_phrase_in_another_language_is_cut_out():
    document = render("He said [c'est la vie]{lang=fr}, and left.", "en")
    assert '<span lang="fr">' in document.html
    assert_contract(document, "en")
    cuts = cut_runs(document.passages[0].runs, "en")
    text = document.passages[0].text
    found = [(text[cut.start : cut.end], cut.language, cut.ends_sentence) for cut in cuts]
    assert found == [
        ("He said", "", False),
        ("c'est la vie,", "fr", False),
        ("and left.", "", True),
    ]


def test_a_block_in_another_language():
    document = render("{lang=fr}\nBonjour. Ça va ?\n\nHello.", "en")
    assert [passage.language for passage in document.passages] == ["fr", ""]
    assert 'lang="fr"' in document.html


def test_pauses_belong_to_the_segment_before_them():
    document = render("One. {pause=800} Two {pause=1s} three.\n\n{pause=2}\n\nFour.", "en")
    assert_contract(document, "en")
    first, last = document.passages
    assert [cut.pause_ms for cut in cut_runs(first.runs, "en")] == [800, 1000, None]
    assert last.runs[0].pause_ms == 2


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("{pause=800}", 800), ("{pausa=800ms}", 800), ("{pause=1.5s}", 1500),
        ("{pause=1,5 s}", 1500), ('{pause="90s"}', 10_000), ("{ pause = 5 }", 5),
    ],
)  # fmt: skip
def test_pauses_in_milliseconds_or_seconds(text, ms):
    assert find_pause(text, 0) == (ms, len(text))


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("{.silent}", Speech("")),
        ('{say="a  b"}', Speech("a b")),
        ("{diga=a lang=pt-BR}", Speech("a", "pt-BR")),
        ("{: .silent}", Speech("")),
        ("{.callout}", None),
        ("{say}", None),
        ("{}", None),
    ],
)
def test_braces_are_ours_or_not(text, speech):
    assert read_speech(text) == speech


CODE = "```python\nif x:\n\n    y = 1.  # Go. Now\n```"


def test_code_is_announced_skipped_or_read_line_by_line():
    assert said_under(CODE) == ["Code example, Python"]
    assert said_under(CODE, code="skip") == []
    document = render(CODE, "en")
    assert_contract(document, "en")
    assert ">if x:</span>\n\n    <span" in document.html
    read = said_under(CODE, code="read")[0]
    assert read.startswith("Code example, Python if x")
    assert "y equals one" in read


TABLE = "| Name | Age |\n|---|---|\n| Ann | 31 |\n| Bob | 2 |"


def test_tables_in_four_ways():
    assert said_under(TABLE) == ["Name: Ann Age: thirty-one", "Name: Bob Age: two"]
    assert said_under(TABLE, tables="cells") == ["Ann thirty-one", "Bob two"]
    assert said_under(TABLE, tables="announce") == ["Table, two columns, two rows: Name, Age."]
    assert said_under(TABLE, tables="skip") == []
    announced = said_under(TABLE, "pt-BR", tables="announce")
    assert announced == ["Tabela, duas colunas, duas linhas: Name, Age."]


def test_figures_numbers_callouts_citations_and_formulas_obey():
    assert said_under("![A cat](c.png)", figures="skip") == []
    assert said_under("1. Go", numbers="skip") == ["Go"]
    assert said_under("::: note\nGo.\n:::", callouts="plain") == ["Go."]
    cited = "So it is [@smith2010; @li99, p. 3]."
    assert said_under(cited) == ["So it is."]
    assert "Smith" in said_under(cited, citations="read")[0]
    assert said_under("It is $x^2$.", formulas="announce") == ["It is formula."]


def test_a_text_knows_which_rules_matter_to_it():
    text = f"{CODE}\n\n{TABLE}\n\n1. Go $x$ [@a]\n\n![A](a.png)\n\n::: note\nB[^1]\n:::\n\n[^1]: N"
    traits = find_traits(render(text, "en").passages)
    assert traits == {
        "code", "tables", "numbers", "formulas", "citations", "figures", "callouts", "footnotes",
    }  # fmt: skip
    assert find_traits(render("Plain.", "en").passages) == set()


def test_a_footnote_knows_its_sentence():
    text = "One. Two[^a] goes on. Three[^b]![^x]\n\n- four[^a]\n\n"
    text += "[^a]: Of two.\n[^b]: Of three.\n[^x]: X.\n\n    More."
    document = render(text, "en")
    assert_contract(document, "en")
    notes = [passage for passage in document.passages if passage.role is Role.FOOTNOTE]
    assert [(note.text, note.after) for note in notes] == [
        ("Of two.", "p1-2"),
        ("Of three.", "p1-3"),
        ("X.", "p1-3"),
        ("More.", "p1-3"),
    ]
    assert notes[0].runs[0].spoken == "Footnote:"
    assert notes[3].runs[0].spoken is None


def test_every_aspect_is_made_by_some_construct():
    text = f"{CODE}\n\n{TABLE}\n\n1. Go [@a]\n\n![A](a.png)\n\n::: note\nB\n:::"
    made = {run.aspect for passage in render(text, "en").passages for run in passage.runs}
    assert made - {""} == set(Aspect)


FRAGMENTS = ["[", "]", "{say=x}", "{.silent}", "{pause=9}", "{lang=fr}", "\n", "\n\n"]
FRAGMENTS += ["::: silent\n", ":::\n", "text. ", "`c`", "- ", "[^1]", "[^1]: n\n", "{% hint %}\n"]
TABLE_START = "| a |\n|---|\n"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*FRAGMENTS, TABLE_START]), max_size=14))
def test_any_mixture_keeps_the_contract(parts):
    assert_contract(render("".join(parts), "en"), "en")


@pytest.mark.parametrize(
    "unit", ["[", "[a]{", "{pause=", "[a]{say=x}", "{.silent}\n\n", "::: silent\n"]
)
def test_hostile_repetitions_stay_linear(unit):
    def measure(count: int) -> float:
        started = time.process_time()
        render(unit * count, "en")
        return time.process_time() - started

    measure(100)
    assert measure(4000) < 40 * max(measure(400), 0.02)


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ('After[]{say="ex"} {pause=2s} end.', ["After ex", "end."]),
        ("Pandoc [loops]{.wide #loops} names.", ["Pandoc loops names."]),
        ("<!-- c --> <b>raw</b> ![badge](https://img.shields.io/badge/x-y-green.svg)", ["raw"]),
        ("<!-- c -->\nSaid.", ["Said."]),
        ("See ![a cat](c.png) sit.", ["See a cat sit."]),
        ("Named. {#name}", ["Named."]),
        ("# Title {.wide #name}", ["Title"]),
    ],
)
def test_what_stands_beside_our_braces(markdown, lines):
    document = render(markdown, "en")
    assert_contract(document, "en")
    assert said(markdown) == lines
    assert "{" not in document.html


def test_a_spoken_form_adds_no_lines_to_code():
    html = render('{say="A loop."}\n\n    go()', "en").html
    assert "\n" not in html.split("<pre>")[1].split("go()")[0]


@pytest.mark.parametrize(
    "markdown",
    [
        "A slip {.slient}",
        "A slip\n{.silnet}",
        "- a\n- b {.silet}",
        "# A {.muto}",
        "A [slip]{.slient} here.",
    ],
)
def test_a_slip_of_the_pen_is_seen(markdown):
    braces = markdown[markdown.index("{") : markdown.index("}") + 1]
    assert braces in render(markdown, "en").html
