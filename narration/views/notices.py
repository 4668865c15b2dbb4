"""What people were told of the narrations they asked for: dismissed by them."""

from __future__ import annotations

from datetime import UTC

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from narration import api


@login_required
@require_POST
def dismiss(request: HttpRequest) -> HttpResponse:
    """Show a notice no more; back to the page it stood on, or an empty answer for htmx."""
    try:
        until = parse_datetime(request.POST.get("until", ""))
    except ValueError:
        until = None
    if until is None:
        return HttpResponseBadRequest()
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    api.dismiss_notices(request.user, outcome=request.POST.get("outcome", ""), until=until)
    if request.headers.get("HX-Request") == "true":
        return HttpResponse()
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(url if is_ours else "/")
