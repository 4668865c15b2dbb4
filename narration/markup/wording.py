"""The few words the page adds to an author's text, in each language we speak first."""

from __future__ import annotations

_WORDS = {
    "en": {"code": "Code example", "figure": "Figure", "table": "Table"},
    "pt": {"code": "Exemplo de código", "figure": "Figura", "table": "Tabela"},
}
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
    return _WORDS.get(language.lower().replace("_", "-").split("-")[0], _WORDS["en"])[word]


def code_caption(info: str, language: str) -> str:
    """Name a code block: "Code example, Python"."""
    name = _CODE_LANGUAGES.get(info.strip().split(" ")[0].strip("{}.").lower(), "")
    return f"{say('code', language)}, {name}" if name else say("code", language)
