"""What the page *Work* says of heavy engines: where they are loaded, how large, how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from narration import conf
from narration.models import EngineAtWork, Worker
from narration.pipeline.explanations import explain_job
from narration.pipeline.plainly import advise
from narration.speaking import list_heavy

#: How much of a model's fingerprint people compare.
SHORT = 12


@dataclass(frozen=True, slots=True)
class EngineLine:
    """An engine in a worker's process, or nowhere; what is empty is not shown."""

    alias: str
    state: str
    label: str
    key: str = ""
    about: str = ""
    where: str = ""
    device: str = ""
    memory: str = ""
    growth: str = ""
    load_time: str = ""
    speed: str = ""
    words: str = ""
    detail: str = ""
    advice: str = ""
    may_warm: bool = False


def build_engines() -> list[EngineLine]:
    """Those of live workers, then those that none has wanted yet."""
    heavy = list_heavy(conf.get_engines().values())
    told = [each for each in Worker.objects.list_engines() if each.facts.get("is_heavy")]
    lines = [_describe(each, is_known=each.alias in heavy) for each in told]
    absent = sorted(heavy - {each.alias for each in told})
    return lines + [
        EngineLine(alias, "queued", _("not loaded"), key=alias, may_warm=True) for alias in absent
    ]


def _describe(engine: EngineAtWork, *, is_known: bool) -> EngineLine:
    facts = engine.facts
    state, label = {
        "loaded": ("published", _("loaded")),
        "loading": ("running", _("is being loaded")),
        "failed": ("failed", _("could not be loaded")),
    }.get(str(facts.get("state")), ("queued", _("not loaded")))
    code = str(facts.get("code", "")) if state == "failed" else ""
    return EngineLine(
        alias=engine.alias,
        state=state,
        label=label,
        key=f"{engine.alias}-{engine.node}-{engine.pid}",
        about=_describe_model(facts),
        where=f"{engine.node}:{engine.pid} ({engine.lane})",
        device=str(facts.get("device") or ""),
        memory=_describe_memory(facts),
        growth=_describe_growth(facts),
        load_time=_show_seconds(facts.get("load_seconds"), 1),
        speed=_show_seconds(facts.get("real_time_factor"), 3),
        words=explain_job(code) if code else "",
        detail=str(facts.get("error", "")) if code else "",
        advice=advise(code),
        may_warm=is_known and state in ("queued", "failed"),
    )


def _describe_model(facts: Mapping[str, Any]) -> str:
    """What it is made of: engine, versions, profile, the beginning of its model's fingerprint."""
    versions = facts.get("versions") or {}
    parts = [str(facts.get("engine", "")), *(f"{k} {v}" for k, v in versions.items())]
    parts += [str(facts.get("profile") or ""), str(facts.get("model") or "")[:SHORT]]
    return " · ".join(part for part in parts if part)


def _get_memory_key(facts: Mapping[str, Any]) -> str:
    """What is shown: memory of the device if it told, else of the process."""
    return "memory" if facts.get("memory") is not None else "rss"


def _describe_memory(facts: Mapping[str, Any]) -> str:
    key = _get_memory_key(facts)
    if not facts.get(key):
        return ""
    now = filesizeformat(facts[key])
    if key == "memory" and facts.get("memory_total"):
        total = filesizeformat(facts["memory_total"])
        return _("%(now)s of %(total)s") % {"now": now, "total": total}
    return str(now)


def _describe_growth(facts: Mapping[str, Any]) -> str:
    key = _get_memory_key(facts)
    before, after = (facts.get(name, {}).get(key) for name in ("before", "after"))
    if before is None or after is None:
        return ""
    words = _("before loading %(before)s, after %(after)s")
    return words % {"before": filesizeformat(before), "after": filesizeformat(after)}


def _show_seconds(seconds: float | None, digits: int) -> str:
    return "" if seconds is None else _("%(number)s s") % {"number": number_format(seconds, digits)}
