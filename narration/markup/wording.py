"""The few words the page adds to an author's text, in each language we speak first."""

from __future__ import annotations

import re
from html import unescape

_WORDS = {
    "en": {
        "code": "Code example", "output": "Output", "error": "Error message",
        "figure": "Figure", "table": "Table", "footnote": "Footnote", "and": "and",
        "column": "column", "columns": "columns", "row": "row", "rows": "rows",
    },
    "pt": {
        "code": "Exemplo de código", "output": "Saída", "error": "Mensagem de erro",
        "figure": "Figura", "table": "Tabela", "footnote": "Nota", "and": "e",
        "column": "coluna", "columns": "colunas", "row": "linha", "rows": "linhas",
    },
}  # fmt: skip
_BOXES = {
    "en": {
        "callout": "Callout", "challenge": "Challenge", "solution": "Solution",
        "objectives": "Objectives", "questions": "Questions", "keypoints": "Key points",
        "prereq": "Prerequisites", "discussion": "Discussion", "testimonial": "Testimonial",
        "checklist": "Checklist", "spoiler": "Details", "note": "Note", "tip": "Tip",
        "important": "Important", "warning": "Warning", "caution": "Caution",
    },
    "pt": {
        "callout": "Destaque", "challenge": "Desafio", "solution": "Solução",
        "objectives": "Objetivos", "questions": "Perguntas", "keypoints": "Pontos principais",
        "prereq": "Pré-requisitos", "discussion": "Discussão", "testimonial": "Depoimento",
        "checklist": "Lista de verificação", "spoiler": "Detalhes", "note": "Nota", "tip": "Dica",
        "important": "Importante", "warning": "Atenção", "caution": "Cuidado",
    },
}  # fmt: skip
# Names as programmers write them; what is not here is only "code".
_CODE_LANGUAGES = {
    "bash": "Bash", "c": "C", "c++": "C++", "cpp": "C++", "cs": "C#", "css": "CSS", "diff": "diff",
    "django": "Django", "dockerfile": "Dockerfile", "go": "Go", "html": "HTML", "java": "Java",
    "javascript": "JavaScript", "js": "JavaScript", "json": "JSON", "latex": "LaTeX",
    "markdown": "Markdown", "md": "Markdown", "php": "PHP", "py": "Python", "python": "Python",
    "python3": "Python", "r": "R", "ruby": "Ruby", "rust": "Rust", "sh": "shell", "shell": "shell",
    "sql": "SQL", "toml": "TOML", "ts": "TypeScript", "typescript": "TypeScript", "xml": "XML",
    "yaml": "YAML", "yml": "YAML",
}  # fmt: skip


def say(word: str, language: str) -> str:
    """Give a word of ours in ``language``, in English where there is no translation."""
    return _WORDS.get(_primary(language), _WORDS["en"])[word]


def box_title(name: str, language: str) -> str:
    """Name a box that has no heading of its own: "Challenge"; "" for a mere frame."""
    return _BOXES.get(_primary(language), _BOXES["en"]).get(name, "")


def _primary(language: str) -> str:
    return language.lower().replace("_", "-").split("-")[0]


def table_caption(names: list[str], rows: int, language: str) -> str:
    """Tell a table's size and columns: "Table, 2 columns, 3 rows: Name, Price."."""
    columns = _count(len(names), "column", language)
    size = f"{say('table', language)}, {columns}, {_count(rows, 'row', language)}"
    named = ", ".join(name for name in names if name)
    return f"{size}: {named}." if named else f"{size}."


def _count(number: int, noun: str, language: str) -> str:
    return f"{number} {say(noun if number == 1 else noun + 's', language)}"


def say_citation(citation: str, language: str) -> str:
    """Say "[@smith2020; @li1999, p. 3]" as "Smith, 2020 and Li, 1999, p. 3"."""
    works = [re.sub(r"^-?@", "", part.strip()) for part in citation.strip("[]").split(";")]
    said = [_say_work(work) for work in works if work]
    return f" {say('and', language)} ".join(said)


def _say_work(work: str) -> str:
    """ "smith_jones2020" → "Smith Jones, 2020"; what follows the key stays."""
    key, comma, locator = work.partition(",")
    words = re.sub(r"(?<=[^\W\d_])[_:.-]?(?=\d)", ", ", key)
    words = " ".join(word[:1].upper() + word[1:] for word in re.split(r"[\s_:.-]+", words) if word)
    return words + comma + locator


def code_caption(info: str, language: str) -> str:
    """Name a code block: "Code example, Python"; what a command answers: "Output"."""
    word = find_code_language(info).lower()
    if word in {"output", "error"}:
        return say(word, language)
    name = _CODE_LANGUAGES.get(word, "")
    return f"{say('code', language)}, {name}" if name else say("code", language)


def find_code_language(info: str) -> str:
    """The language a fence names, also as Pandoc and R Markdown write it: "{.python}"."""
    words = unescape(info).replace(",", " ").split()
    return words[0].strip("{}.") if words else ""
