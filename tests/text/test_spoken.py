from narration.text import build_spoken
from narration.values import Run, RunKind


def say(*runs, start=0, end=None, language="en"):
    total = sum(len(run.text) for run in runs)
    return build_spoken(runs, start, total if end is None else end, language)


def written_words(display, form):
    return [
        (form.text[w.spoken_start : w.spoken_end], display[w.start : w.end]) for w in form.words
    ]


def test_a_number_across_emphasis_is_read_as_one():
    assert say(Run("It costs R$ "), Run("5"))[1].text == "It costs five reais"


def test_code_is_read_without_brackets_and_a_lone_mark_by_its_name():
    assert say(Run("Use "), Run("my_list.sort()", RunKind.CODE), Run("."))[1].text == (
        "Use my list dot sort."
    )
    assert say(Run("Type "), Run("#", RunKind.CODE), Run("!"))[1].text == "Type hash!"
    assert say(Run("Digite "), Run("2 ** 3", RunKind.CODE), language="pt-BR")[1].text == (
        "Digite dois elevado a três"
    )


def test_mathematics_is_read_by_its_own_reader():
    display, form = say(Run("So "), Run("x^2", RunKind.MATH), Run("."))
    assert display == "So x^2."
    assert form.text == "So x squared."
    assert written_words(display, form) == [("So", "So"), ("x", "x^2"), ("squared.", "x^2")]


def test_a_given_spoken_form_is_said_and_digits_in_it_are_read():
    assert say(Run("Django", spoken="jango 5"))[1].text == "jango five"
    assert say(Run("secret", spoken=""), Run(" word"))[1].text == "word"


def test_an_empty_run_is_said_in_the_sentence_where_it_stands():
    runs = (Run("", spoken="one:"), Run("First. Second."))
    assert build_spoken(runs, 0, 6, "en")[1].text == "one: First."
    assert build_spoken(runs, 7, 14, "en")[1].text == "Second."


def test_spans_count_from_the_start_of_the_sentence():
    display, form = build_spoken((Run("One. "), Run("Pay $5.", RunKind.LINK)), 5, 12, "en")
    assert display == "Pay $5."
    assert written_words(display, form) == [("Pay", "Pay"), ("five", "$5"), ("dollars.", "$5")]


def test_a_run_in_another_language_is_said_in_that_language():
    assert say(Run("Diga "), Run("21", language="en"), language="pt-BR")[1].text == (
        "Diga twenty-one"
    )


def test_a_spoken_run_cut_in_two_is_said_once():
    runs = (Run("A. B.", spoken="both"),)
    assert [build_spoken(runs, *span, "en")[1].text for span in ((0, 2), (3, 5))] == ["both", ""]
