"""Addresses and names from machines: e-mail, web, files, paths, identifiers."""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import ADDRESS, ADDRESS_END, compile_rule

_EDGE = r"(?<![\w@.+\-])"
_DOMAINS = "com|org|net|io|edu|gov|dev|app|info|br|pt|uk|ai|co"
_FILES = (
    "py|md|html?|css|js|ts|json|txt|csv|pdf|png|jpe?g|svg|ya?ml|toml|ini|cfg|sh|sql|zip|exe|doc"
    "|mp3|xml"
)
# "<3" compares, unless it ends a greeting or stands behind somebody who loves.
_HEART = (
    r"(?:^|(?<=\bI\s)|(?<=\bwe\s)|(?<=\bthanks\s)|(?<=\byou\s)|(?<=\blove\s)|(?<=\bobrigada\s)"
    r"|(?<=\bobrigado\s)|(?<=\beu\s)|(?<=[!?.…]\s))<3(?!\w|[.,]\d|\s?[%°])"
)
_LONGEST_PATH = 30
_FOLDERS = (
    "src|app|apps|lib|bin|etc|usr|home|var|tmp|docs|tests|static|templates|config|origin|public"
    "|media|node_modules"
)


def address_rules(grammar: Grammar) -> list[Rule]:
    """Smileys, citations, e-mail and web addresses, file names, identifiers."""
    say = partial(say_address, grammar)
    say_path = partial(_say_path, grammar)
    return [
        # A face stands alone; "8)" only where no bracket waits to be closed.
        compile_rule(r"(?<!\w)[:;=]-?[)(DPpOo|\]\[/\\](?!\w)|\^_\^", _say_nothing),
        compile_rule(r"(?<!\S)8-[)D](?!\w)|(?<!\S)8D(?!\w)", _say_nothing),
        compile_rule(_HEART, _say_nothing, re.IGNORECASE),
        compile_rule(r"^\[[ xX]\](?=\s)", _say_nothing),
        compile_rule(r"([=*_~#+<>|-])\1{2,}|(?<=\w)\((?:e?s|[ao]s?)\)", _say_nothing),
        compile_rule(
            r"(?<![\w.])(?P<name>[^\W\d]\w*)\[(?P<index>\d{1,3})\]", partial(_say_indexed, grammar)
        ),
        compile_rule(r"(?<=\w)\s?\[\d{1,3}(?:[,–-]\s?\d{1,3})*\]", _say_nothing),
        compile_rule(rf"{_EDGE}[\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+", partial(_say_email, grammar)),
        compile_rule(rf"(?<!\w)(?:https?|ftp)://{ADDRESS}{ADDRESS_END}/?", say),
        compile_rule(rf"{_EDGE}www\.{ADDRESS}{ADDRESS_END}/?", say),
        compile_rule(
            rf"{_EDGE}(?:[a-z0-9-]+\.)+(?:{_DOMAINS})(?![\w-])(?:/{ADDRESS}{ADDRESS_END})?/?",
            say,
        ),
        compile_rule(rf"(?<![\w@.+\-/~])[\w\-/~]*[\w\-]\.(?:{_FILES})(?!\w)", say_path),
        compile_rule(rf"(?<![\w.])\.(?:{_FILES})(?!\w)", partial(_say_name, grammar)),
        compile_rule(
            r"(?<![\w./~])(?:~|\.{1,2})?/?[^\W\d][\w.-]{0,80}/(?:[\w.-]{1,80}/)+(?:[\w.-]*\w)?",
            say_path,
        ),
        compile_rule(r"(?<![\w./~])(?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]+)*/?", say_path),
        compile_rule(
            rf"(?<![\w./~])(?:{_FOLDERS})/[\w.-]*\w|(?<![\w./~])\w+/(?:{_FOLDERS})(?!\w)", say_path
        ),
        compile_rule(
            r"(?<!\w)(?P<drive>[A-Z]):(?P<path>(?:\\[\w.-]+)+)\\?", partial(_say_windows, grammar)
        ),
        compile_rule(r"(?<!\w)[a-z]{2,}(?:[A-Z][a-z]+)+(?!\w)", partial(_say_name, grammar)),
        compile_rule(r"(?<![\w.])[^\W\d]\w*(?:\.[^\W\d]\w*)*\(\)", partial(_say_name, grammar)),
        compile_rule(r"(?<![\w.])\w*[^\W_]_+[^\W_]\w*(?:\.\w+)*", partial(_say_name, grammar)),
        compile_rule(r"(?<!\w)__?[^\W_]+(?:_+[^\W_]+)*_*", partial(_say_name, grammar)),
        compile_rule(r"(?<![\w.])[a-z]\w+(?:\.[a-z]\w+)+(?!\w)", partial(_say_name, grammar)),
    ]


def _say_windows(grammar: Grammar, match: re.Match[str]) -> str:
    joint = f" {grammar.words['backslash']} "
    parts = [_say_name_text(grammar, part) for part in match["path"].split("\\") if part]
    drive = f"{grammar.say_letter(match['drive'])} {grammar.words['colon']}"
    return joint.join([drive, *parts])


def _say_indexed(grammar: Grammar, match: re.Match[str]) -> str | None:
    """``my_list[0]`` has an index; "rain[1]" a reference, which is not said."""
    if "_" not in match["name"]:
        return None
    return f"{_say_name_text(grammar, match['name'])} {grammar.cardinal(match['index'], False)}"


def _say_nothing(_: re.Match[str]) -> str:
    return ""


def _say_email(grammar: Grammar, match: re.Match[str]) -> str:
    user, _, host = match[0].partition("@")
    return f"{_say_name_text(grammar, user)} {grammar.words['at']} {_say_name_text(grammar, host)}"


def say_address(grammar: Grammar, match: re.Match[str]) -> str:
    """Say host, port and a short path; the rest is for clicking, not for hearing."""
    bare = re.sub(r"^\w+://", "", match[0]).removeprefix("www.")
    place = re.split(r"[?#]", bare, maxsplit=1)[0].rstrip("/")
    host, _, path = place.partition("/")
    name, _, port = host.partition(":")
    spoken = _say_name_text(grammar, name)
    if port.isdecimal():
        spoken += f" {grammar.words['port']} {grammar.cardinal(port, False)}"
    if 0 < len(path) <= _LONGEST_PATH:
        spoken += f" {grammar.words['slash']} {_say_path_text(grammar, path)}"
    return spoken


def _say_path(grammar: Grammar, match: re.Match[str]) -> str:
    return _say_path_text(grammar, match[0])


def _say_path_text(grammar: Grammar, path: str) -> str:
    slash = f" {grammar.words['slash']} "
    parts = [_say_name_text(grammar, part) for part in path.strip("~/").split("/") if part]
    lead = f"{grammar.words['tilde']}{slash}" if path.startswith("~") else ""
    return (slash.lstrip() if path.startswith("/") else lead) + slash.join(parts)


def _say_name(grammar: Grammar, match: re.Match[str]) -> str:
    return _say_name_text(grammar, match[0])


def _say_name_text(grammar: Grammar, name: str) -> str:
    dot = f" {grammar.words['dot']} "
    lead = dot.lstrip() if name.startswith(".") and name.strip(".") else ""
    return lead + dot.join(filter(None, map(grammar.say_identifier, name.split("."))))
