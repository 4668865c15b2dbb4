"""What the learner's player asks for."""

from __future__ import annotations

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from narration import api
from narration.exceptions import NarrationNotFound, NotAllowed, SourceError


@require_safe
def show_manifest(request: HttpRequest, source: str, object_id: str, language: str) -> JsonResponse:
    """The published manifest as JSON, the draft's with ``?draft=1``; 404 for strangers."""
    is_draft = request.GET.get("draft") == "1"
    action = "narrate" if is_draft else "listen"
    try:
        obj = api.get_object(source=source, object_id=object_id, user=request.user, action=action)
        manifest = api.get_manifest(obj, language=language, user=request.user, draft=is_draft)
    except (NarrationNotFound, NotAllowed, SourceError) as error:
        raise Http404 from error
    # Who may listen can change at any time: browsers ask again, proxies keep nothing.
    return JsonResponse(manifest, headers={"Cache-Control": "private, no-cache", "Vary": "Cookie"})
