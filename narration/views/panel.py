"""The author's panel and sentence list: they read a state and pass wishes on to ``narration.api``.

Every form works without JavaScript: it posts, and the answer leads back to the page it came from.
With htmx the answer is the panel itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from narration import api
from narration.exceptions import (
    ConfigurationError,
    ConflictError,
    ConsentError,
    EngineError,
    NarrationError,
    NarrationNotFound,
    NotAllowed,
    SourceError,
)
from narration.permissions import can
from narration.sources import get_source
from narration.text import has_rules

#: How many sentences that failed a panel names; the sentence list shows them all.
NAMED_FAILURES = 5

Wish = Callable[[Model], object]


@require_safe
def show_panel(request: HttpRequest, source: str, object_id: str, language: str) -> HttpResponse:
    """The panel's body, polled while a job is at work; 404 for who may not narrate."""
    obj = get_narratable(request, source, object_id)
    return render_panel(request, obj, language)


@require_POST
def narrate(request: HttpRequest, source: str, object_id: str, language: str) -> HttpResponse:
    """Request a narration; ``publish=1`` offers it to learners as soon as it is made."""
    user, is_published = request.user, request.POST.get("publish") == "1"
    return fulfil(
        request,
        source,
        object_id,
        language,
        lambda obj: api.request_narration(obj, language=language, user=user, publish=is_published),
    )


@require_POST
def cancel(request: HttpRequest, source: str, object_id: str, language: str) -> HttpResponse:
    """Stop the job at work after the sentence it is at."""

    def stop(obj: Model) -> None:
        job = api.state_of(obj, language=language).job
        if job is None:
            raise ConflictError(_("There is nothing to cancel: the narration had already ended."))
        api.cancel_job(job.uid, user=request.user)

    return fulfil(request, source, object_id, language, stop)


@require_POST
def publish(request: HttpRequest, source: str, object_id: str, language: str) -> HttpResponse:
    """Offer the draft, text and sound together, to learners."""
    return fulfil(
        request,
        source,
        object_id,
        language,
        lambda obj: api.publish_narration(obj, language=language, user=request.user),
    )


@require_POST
def retake(
    request: HttpRequest, source: str, object_id: str, language: str, position: int
) -> HttpResponse:
    """Have one sentence spoken differently the next time the object is narrated."""
    obj = get_narratable(request, source, object_id)
    problem = attempt(
        lambda obj: api.retake_segment(
            obj, language=language, position=position, user=request.user
        ),
        obj,
    )
    return lead_to_segment(request, obj, language, position, problem)


@require_POST
def accept(
    request: HttpRequest, source: str, object_id: str, language: str, position: int
) -> HttpResponse:
    """Say of one sentence that it sounds fine, whatever the quality gate doubts."""
    obj = get_narratable(request, source, object_id)
    problem = attempt(
        lambda obj: api.accept_segment(
            obj, language=language, position=position, user=request.user
        ),
        obj,
    )
    return lead_to_segment(request, obj, language, position, problem)


@require_safe
def show_segments(request: HttpRequest, source: str, object_id: str, language: str) -> HttpResponse:
    """The sentences of the newest plan as written and as spoken; a partial for htmx."""
    obj = get_narratable(request, source, object_id)
    try:
        segments = api.list_segments(obj, language=language, user=request.user)
    except (NarrationNotFound, NotAllowed, SourceError) as error:
        raise Http404 from error
    state = api.state_of(obj, language=language)
    context = {
        **build_names(obj, language),
        "segments": segments,
        "state": state,
        # An older track would light the wrong sentences of the newest plan.
        "has_track": state.can_publish or state.status == "published",
        "title": get_source(obj).get_title(obj, language),
        "url": get_source(obj).get_url(obj, language),
        "scope": api.get_own_scope(obj),
    }
    is_partial = request.headers.get("HX-Request") == "true"
    name = "segment_list" if is_partial else "segments"
    return render(request, f"narration/{name}.html", context)


# What views and the panel's template tag share ----------------------------------------------


def build_names(obj: Model, language: str) -> dict[str, Any]:
    """What the URLs of an object's panel are reversed with, and the object itself."""
    return {
        "object": obj,
        "source": obj._meta.label_lower,
        "object_id": str(obj.pk),
        "language": language,
    }


def build_panel(obj: Model, language: str, user: Any, problem: str = "") -> dict[str, Any]:
    """The template context of a panel. Plans (never an engine) only while no job is at work."""
    state = api.state_of(obj, language=language)
    is_active = state.status in ("queued", "running")
    estimate = None
    if not is_active:
        try:
            estimate = api.estimate_narration(obj, language=language, user=user)
            state = api.state_of(obj, language=language)  # the estimate may have planned anew
        except (ConfigurationError, ConsentError, SourceError, EngineError) as error:
            problem = problem or api.explain_error(error)
    failures, first_flagged = [], None
    if state.failed or state.flagged:
        segments = api.list_segments(obj, language=language, user=user)
        first_flagged = next((each.position for each in segments if each.doubts), None)
        failures = [each for each in segments if each.state == "failed"][:NAMED_FAILURES]
    return {
        **build_names(obj, language),
        "state": state,
        "is_active": is_active,
        "waiting": find_waiting(state),
        "estimate": estimate,
        "failures": failures,
        "first_flagged": first_flagged,
        "problem": problem,
        "can_publish": state.can_publish and not is_active and can(user, "publish", obj),
        "can_narrate": is_worth_narrating(state, estimate),
        "may_publish": can(user, "publish", obj),
        "is_plain": not has_rules(language),
        "unvoiced": api.list_unvoiced(obj, language=language),
        "restrictions": list_restrictions(obj, language),
    }


def list_restrictions(obj: Model, language: str) -> list[tuple[str, str]]:
    """What holds for its voices, each with the language it is in where nobody translated it."""
    said = api.list_restrictions(obj, language=language)
    with translation.override("en"):
        english = api.list_restrictions(obj, language=language) if said else []
    return [(words, "en" if words in english else "") for words in said]


def find_waiting(state: api.NarrationState) -> api.Waiting | None:
    """Place and reason of a narration whose job waits; None where an author could only worry."""
    if state.status != "queued" or state.job is None:
        return None
    try:
        waiting = api.find_waiting(api.get_job(uid=state.job.uid, user=None))
    except NarrationNotFound:  # its object was deleted in this moment
        return None
    return None if waiting is not None and waiting.code == "no_worker" else waiting


def is_worth_narrating(state: api.NarrationState, estimate: api.Estimate | None) -> bool:
    """Whether a job would change anything: there is text, and no current track of it yet."""
    if estimate is not None and not estimate.segments:
        return False
    return not (state.can_publish or state.status == "published")


def get_narratable(request: HttpRequest, source: str, object_id: str) -> Model:
    """The object if this user may narrate it; for anybody else it does not exist."""
    try:
        return api.get_object(
            source=source, object_id=object_id, user=request.user, action="narrate"
        )
    except (NarrationNotFound, NotAllowed, SourceError) as error:
        raise Http404 from error


def attempt(wish: Wish, obj: Model) -> str:
    """Pass a wish on; "" when it was granted, else why not, in plain words."""
    try:
        wish(obj)
    except (NarrationNotFound, NotAllowed) as error:
        raise Http404 from error
    except NarrationError as error:
        return api.explain_error(error) or _("That did not work.")
    return ""


def fulfil(
    request: HttpRequest, source: str, object_id: str, language: str, wish: Wish
) -> HttpResponse:
    """Grant a wish and answer with the panel (htmx) or with the way back (a plain form)."""
    obj = get_narratable(request, source, object_id)
    problem = attempt(wish, obj)
    if request.headers.get("HX-Request") == "true":
        return render_panel(request, obj, language, problem)
    if problem:
        messages.error(request, problem, fail_silently=True)
    return HttpResponseRedirect(find_way_back(request, obj, language))


def lead_to_segment(
    request: HttpRequest, obj: Model, language: str, position: int, problem: str
) -> HttpResponse:
    """Back to a sentence in its list, with what went wrong."""
    if problem:
        messages.error(request, problem, fail_silently=True)
    names = build_names(obj, language)
    del names["object"]
    return HttpResponseRedirect(f"{reverse('narration:segments', kwargs=names)}#s{position}")


def render_panel(
    request: HttpRequest, obj: Model, language: str, problem: str = ""
) -> HttpResponse:
    """The panel's body; one at rest tells the rest of the page, which may show what it changed."""
    context = build_panel(obj, language, request.user, problem)
    response = render(request, "narration/panel_body.html", context)
    if not context["is_active"]:
        response["HX-Trigger"] = "narration:rest"
    response["Cache-Control"] = "no-store"
    return response


def find_way_back(request: HttpRequest, obj: Model, language: str) -> str:
    """The page a form was sent from, if it is one of ours; else the sentence list."""
    for url in (request.POST.get("next", ""), request.headers.get("Referer", "")):
        if url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            return url
    names = build_names(obj, language)
    del names["object"]
    return reverse("narration:segments", kwargs=names)
