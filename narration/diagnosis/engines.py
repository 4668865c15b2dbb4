"""Heavy engines: which worker has loaded them, where, how large they are and how fast they speak.

From what workers told of themselves, so that a web machine sees the card of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from narration import conf
from narration.diagnosis.findings import Finding, State
from narration.models import EngineAtWork, Worker
from narration.speaking import list_heavy

#: Failures to load that may pass by themselves.
PASSING = {"out_of_memory", "device_lost", "engine_busy", "engine_crashed", "engine_hung"}
#: How much of a model's fingerprint people compare.
SHORT = 12


def check_loaded() -> Iterator[Finding]:
    """Each heavy engine, worker by worker; those that no worker has loaded yet."""
    told = [each for each in Worker.objects.list_engines() if each.facts.get("is_heavy")]
    for each in told:
        yield _describe(each)
    for alias in sorted(list_heavy(conf.get_engines().values()) - {each.alias for each in told}):
        words = _("No worker has loaded it; its first job will, or now: %(command)s")
        words %= {"command": f"manage.py warm {alias}"}
        title = _get_title(alias)
        yield Finding("loaded", title, State.OK, words, facts={"alias": alias, "state": "unloaded"})


def _describe(engine: EngineAtWork) -> Finding:
    facts = {"node": engine.node, "pid": engine.pid, "lane": engine.lane, **engine.facts}
    title, state = _get_title(engine.alias), engine.facts.get("state")
    where = {"node": engine.node, "pid": engine.pid}
    if state == "failed":
        is_passing = engine.facts.get("code") in PASSING
        words = _("%(node)s, process %(pid)d: it could not be loaded: %(error)s")
        words %= {**where, "error": engine.facts.get("error", "")}
        advice = _("Mend that, then: %(command)s") % {"command": f"manage.py warm {engine.alias}"}
        grade = State.WARNING if is_passing else State.BROKEN
        return Finding("loaded", title, grade, words, advice, facts)
    words = {
        "loaded": _("%(node)s, process %(pid)d: loaded; %(details)s."),
        "loading": _("%(node)s, process %(pid)d: it is being loaded."),
    }.get(str(state), _("%(node)s, process %(pid)d: not loaded now; its next job loads it."))
    words %= {**where, "details": ", ".join(_list_details(engine.facts))}
    return Finding("loaded", title, State.OK, words, facts=facts)


def _list_details(facts: Mapping[str, Any]) -> Iterator[str]:
    """Device, memory, time to load, speed, model: what is known of them."""
    if device := facts.get("device"):
        yield _("on %(device)s") % {"device": device}
    yield from _list_memory(facts)
    if facts.get("load_seconds") is not None:
        yield _("loaded in %(seconds).1f s") % {"seconds": facts["load_seconds"]}
    if facts.get("real_time_factor"):
        words = _("%(factor).3f s of work for a second of sound")
        yield words % {"factor": facts["real_time_factor"]}
    if model := facts.get("model"):
        yield _("model %(model)s") % {"model": str(model)[:SHORT]}


def _list_memory(facts: Mapping[str, Any]) -> Iterator[str]:
    """On its device if it told, else of its process: now, and around its loading."""
    key = "memory" if facts.get("memory") is not None else "rss"
    sizes = {"now": filesizeformat(facts.get(key) or 0)}
    if key == "memory" and facts.get("memory_total"):
        sizes["total"] = filesizeformat(facts["memory_total"])
        yield _("memory %(now)s of %(total)s") % sizes
    else:
        yield _("memory %(now)s") % sizes
    before, after = (facts.get(name, {}).get(key) for name in ("before", "after"))
    if before is not None and after is not None:
        words = _("before loading %(before)s, after %(after)s")
        yield words % {"before": filesizeformat(before), "after": filesizeformat(after)}


def _get_title(alias: str) -> str:
    return _("Engine %(alias)s") % {"alias": alias}
