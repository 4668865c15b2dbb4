"""For probes: does the process answer, and is what it needs there? No login, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from narration.diagnosis import PARTS, Readiness, look


@transaction.non_atomic_requests
@never_cache
@require_safe
def show_live(_request: HttpRequest) -> JsonResponse:
    """200: the process answers. Asks nobody, so that a database's fault restarts no web server."""
    return JsonResponse({"status": "alive"})


@transaction.non_atomic_requests  # a database that is away must be told, not raised
@never_cache
@require_safe
def show_ready(request: HttpRequest) -> JsonResponse:
    """200 or 503, and each part: all, or those of ``?part=…&part=…``; 400 for an unknown one."""
    wanted = request.GET.getlist("part") or list(PARTS)
    if unknown := [part for part in wanted if part not in PARTS]:
        return JsonResponse({"status": "unknown", "unknown": len(unknown)}, status=400)
    found = look(dict.fromkeys(wanted))
    is_ready = all(part.is_ready for part in found.values())
    body = {
        "status": "ready" if is_ready else "broken",
        "parts": {name: _describe(part) for name, part in found.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def _describe(part: Readiness) -> Mapping[str, Any]:
    fault = {"fault": part.fault} if part.fault else {}
    return {"status": "ok" if part.is_ready else "broken", **fault, **part.facts, "ms": part.ms}


app_name = "health"
#: The host mounts them where its probes look: ``path("health/", include(…))``.
urlpatterns = [
    path("live", show_live, name="live"),
    path("ready", show_ready, name="ready"),
]
