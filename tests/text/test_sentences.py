import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narration.text import cut_sentences, sentence_anchor

# "|" marks where a sentence starts.
ENGLISH = [
    "One. |Two. |Three.",
    "Hello Dr. Smith. |How are you?",
    "Mr. and Mrs. Jones left.",
    "It moves at 3.14 m/s. |It stops.",
    "See Fig. 3 and eq. 4. |Then read on.",
    "See fig. 3, p. 4 and pp. 5-6.",
    "Write no. 5 here.",
    "He said no. |Then he left.",
    "J. R. R. Tolkien wrote it.",
    "George W. Bush spoke.",
    "Take vitamin C. |It helps.",
    "Use a tool, e.g. Git. |It works.",
    "A tool, i.e. Git, works.",
    "Wait... what?",
    "Wait... |What?",
    "Well… |Yes.",
    "Well… perhaps.",
    "“Go.” |He left.",
    'He said "Go." |And he left.',
    '"Why?" he asked. |Nobody knew.',
    "(Is this right?) |Yes!",
    "Is it (really!) so?",
    "See v1.2.3. |It is new.",
    "Version 2.0 is out. |Get it.",
    "Visit https://example.org. |It is free.",
    "Visit example.com/a.b?c=d. |Done.",
    "The U.S. Army came.",
    "He lives in the U.S. |He likes it.",
    "At 5 p.m. we left.",
    "We left at 5 p.m. |The sun set.",
    "Cats, dogs, etc. are pets.",
    "Cats, dogs, etc. |Birds too.",
    "Apples vs. pears.",
    "Acme Inc. makes it.",
    "Born Jan. 4, 1643 in England.",
    "It costs $1.50. |Buy it.",
    "Open index.html. |Save it.",
    "print() shows text. |len() counts.",
    "Stop. |print() shows text.",
    "What happened? elif|".replace(" elif|", " |elif runs."),
    "Yes! |len() counts.",
    "Good. :) |Next.",
    "Good :)",
    "A line. :)",
    "Is it? |Yes! |No.",
    "Really?! |Yes.",
    "First part; second part: third part, end.",
    "New\n\n|paragraph",
    "Same\nparagraph",
    "No stop at the end",
    "He came. |“Hello,” he said.",
    "Call 1-800. |3 people did.",
    "1. Install it. |2. Run it.",
    "Ask St. Peter. |He knows.",
    "Smith et al. wrote it.",
    "About 500 B.C. people came.",
]
PORTUGUESE = [
    "Um. |Dois. |Três.",
    "Ver cap. 4. |Depois, o cap. 5.",
    "Em jan. 1643 nasceu Newton. |Ele viveu.",
    "O Sr. Silva e a Sra. Souza saíram.",
    "A Dra. Ana e o Prof. Dr. João vieram. |Foi bom.",
    "Use algo, p. ex. Git. |Funciona.",
    "P. ex. isto.",
    "Isto é, i.e. aquilo.",
    "Gatos, cães, etc. são animais.",
    "Gatos, cães, etc. |Pássaros também.",
    "Ver pág. 3 e págs. 4-5.",
    "Ver p. 3. |Fim.",
    "Conforme o art. 5º da lei.",
    "Ver fig. 2 e tab. 3.",
    "O nº. 7 é meu.",
    "D. Pedro II governou. |Ele viajou.",
    "J. K. Rowling escreveu.",
    "Machado de Assis. |Ele nasceu.",
    "Em 500 a.C. nasceu. |Morreu depois.",
    "Em 500 a. C. nasceu.",
    "Espere... o quê?",
    "Espere... |O quê?",
    "Bem… |Sim.",
    "“Vá.” |Ele foi.",
    'Ele disse: "Vamos." |E foi.',
    "“Por quê?” perguntou ela. |Ninguém sabia.",
    "(Está certo?) |Sim!",
    "Custa R$ 1.234,56. |Compre.",
    "São 3,14 m/s. |Isso basta.",
    "A versão 2.0 saiu. |Baixe.",
    "Visite https://exemplo.com.br. |É grátis.",
    "Visite djangogirls.org. |É bom.",
    "Abra index.html. |Salve.",
    "Pare. |print() mostra.",
    "Sim! |len() conta.",
    "Legal. :) |Próximo.",
    "Até lá :)",
    "Não! |Sim? |Talvez.",
    "A empresa Acme Ltda. faz isso.",
    "Av. Paulista, 900. |São Paulo.",
    "Maria e cia. chegaram.",
    "Novo\n\n|parágrafo",
    "Mesmo\nparágrafo",
    "Sem ponto no fim",
    "O plano B. |Ele funciona.",
    "Nasceu em 21 de nov. 2026 aqui.",
    "Ver vol. 2, seç. 3.",
    "Isso funciona assim, vs. aquilo.",
    "Fim da seção 1. |Começo da seção 2.",
    "Agora vai. |Pronta para mais?",
]


def show(text, language):
    shown = ""
    position = 0
    for start, end in cut_sentences(text, language):
        shown += text[position:start] + ("|" if start else "") + text[start:end]
        position = end
    return shown + text[position:]


@pytest.mark.parametrize("marked", ENGLISH)
def test_english_sentences_end_where_readers_stop(marked):
    assert show(marked.replace("|", ""), "en") == marked


@pytest.mark.parametrize("marked", PORTUGUESE)
def test_portuguese_sentences_end_where_readers_stop(marked):
    assert show(marked.replace("|", ""), "pt-BR") == marked


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("hi", "यह है। |वह है।"),
        ("fr", "Bonjour. |Ça va ?"),
        ("ja", "これは。|それは。"),
        ("", "One. |Two."),
    ],
)
def test_other_languages_are_cut_by_the_library(language, marked):
    assert show(marked.replace("|", ""), language) == marked


def test_a_no_break_space_is_no_place_to_cut():
    assert len(cut_sentences("A.\N{NO-BREAK SPACE}The end.", "en")) == 1


@given(st.text(max_size=300), st.sampled_from(["en", "pt-BR", "fr", "xx", ""]))
@settings(max_examples=300, deadline=None)
def test_every_visible_character_lies_in_exactly_one_trimmed_span(text, language):
    spans = cut_sentences(text, language)
    covered = [place for start, end in spans for place in range(start, end)]
    assert covered == sorted(set(covered))
    assert {i for i, char in enumerate(text) if not char.isspace()} <= set(covered)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)


def test_anchors_count_from_one_and_stay_empty_without_a_page():
    assert sentence_anchor("p3", 2) == "p3-2"
    assert sentence_anchor("", 2) == ""
