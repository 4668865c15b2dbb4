"""How things are said in a scope: its lexicon and rules, and what a change of them would do."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from narration import api
from narration.exceptions import (
    ConflictError,
    EngineError,
    NarrationError,
    NarrationNotFound,
    NotAllowed,
    SourceError,
)
from narration.models import JobState, LexiconEntry, LexiconState
from narration.pipeline.states import CHARACTERS_PER_SECOND
from narration.views.panel import build_names, get_narratable
from narration.views.wording_forms import EntryForm, PolicyForm

require_form = require_http_methods(["GET", "HEAD", "POST"])
#: How an address names the installation, whose scope key is "".
INSTALLATION = "installation"
LONGEST_SAMPLE = 300


@require_safe
@login_required
def show_wording(request: HttpRequest, scope: str) -> HttpResponse:
    """The entries of a scope, and those of the wider scopes that hold here too."""
    key = get_scope(request, scope)
    own = list(api.list_entries(key, user=request.user))
    taken = {identify(entry) for entry in own}
    titles = {each: get_title(each) for each in api.get_scope_chain(key)[1:]}
    wider = LexiconEntry.objects.filter(scope_key__in=titles, state=LexiconState.ACTIVE)
    inherited = [
        {
            "entry": entry,
            "title": titles[entry.scope_key],
            "is_overridden": identify(entry) in taken,
        }
        for entry in wider.order_by("language", "grapheme")
    ]
    context = {**build_scope(key, "lexicon"), "entries": own, "inherited": inherited}
    return render(request, "narration/wording.html", context)


def identify(entry: LexiconEntry) -> tuple[str, ...]:
    """What two entries of different scopes have in common when the nearer one wins."""
    return (entry.language, entry.grapheme, entry.case_rule, entry.engine)


@require_form
@login_required
def edit_entry(request: HttpRequest, scope: str, entry: Any = None) -> HttpResponse:
    """One entry: see what it would change, hear it, save it, take it away."""
    key = get_scope(request, scope)
    row = get_entry(key, entry) if entry else LexiconEntry(scope_key=key)
    if request.method != "POST":
        initial = {"state": LexiconState.ACTIVE, "language": api.get_scope_language(key)}
        initial = {} if entry else {**initial, **clip(request.GET)}
        form = EntryForm(instance=row, initial=initial)
        return render_entry(request, key, form)
    form = EntryForm(request.POST, instance=row)
    intent = request.POST.get("intent", "")
    if not form.is_valid():
        return render_entry(request, key, form, status=422)
    change = api.change_entry(form.instance, before=form.before, removes=intent == "delete")
    if intent in {"save", "delete"}:
        return save(request, scope, change, form)
    extra: dict[str, Any] = {"radius": build_radius(change, request.user)}
    if intent == "listen":
        extra |= listen(request, key, form, change)
    return render_entry(request, key, form, **extra)


def clip(given: Any) -> dict[str, str]:
    """What a link may fill in: the word, and its language."""
    return {name: given[name][:200] for name in ("grapheme", "language") if name in given}


def save(request: HttpRequest, scope: str, change: Any, form: EntryForm) -> HttpResponse:
    """Make the change and say what it did."""
    form.instance.updated_by = request.user
    form.instance.updated_by_name = request.user.get_username()
    try:
        radius = api.apply_change(change, user=request.user)
    except ConflictError as error:
        form.add_error("grapheme" if error.code == "duplicate_entry" else None, str(error))
        return render_entry(request, form.instance.scope_key, form, status=422)
    messages.success(request, describe(radius))
    return redirect("narration:wording", scope)


@require_POST
@login_required
def set_state(request: HttpRequest, scope: str, entry: Any) -> HttpResponse:
    """Activate or disable an entry with one press."""
    key = get_scope(request, scope)
    row = get_entry(key, entry)
    state = request.POST.get("state", "")
    if state not in LexiconState.values:
        raise Http404
    before, row.state = copy(row), state
    change = api.change_entry(row, before=before)
    try:
        messages.success(request, describe(api.apply_change(change, user=request.user)))
    except ConflictError as error:
        messages.error(request, str(error))
    return redirect("narration:wording", scope)


@require_form
@login_required
def edit_rules(request: HttpRequest, scope: str) -> HttpResponse:
    """Rules, gaps and voices of a scope."""
    key = get_scope(request, scope)
    policy = api.get_policy(key, user=request.user)
    form = PolicyForm(request.POST or None, policy=policy)
    context = {**build_scope(key, "rules"), "form": form}
    if request.method == "POST" and form.is_valid():
        change = api.change_policy(form.build_policy(), before=policy)
        try:
            if request.POST.get("intent") == "save":
                messages.success(request, describe(api.apply_change(change, user=request.user)))
                return redirect("narration:wording-rules", scope)
            context["radius"] = build_radius(change, request.user)
        except NarrationError as error:
            form.add_error(None, api.explain_error(error))
    status = 422 if form.errors else 200
    return render(request, "narration/wording_rules.html", context, status=status)


@require_safe
@login_required
def show_audition(request: HttpRequest, job: Any) -> HttpResponse:
    """Whether a sound is made yet, for its requester alone."""
    try:
        found = api.get_job(uid=job, user=request.user)
    except NarrationNotFound as error:
        raise Http404 from error
    is_over = found.state not in {JobState.QUEUED, JobState.RUNNING}
    url = api.find_audition_url(found) if is_over else ""
    problem = _("This could not be spoken.") if is_over and not url else ""
    response = JsonResponse({"state": found.state, "url": url, "problem": problem})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def explain(
    request: HttpRequest, source: str, object_id: str, language: str, position: int
) -> HttpResponse:
    """Why a sentence is said the way it is."""
    obj = get_narratable(request, source, object_id)
    try:
        found = api.explain_sentence(obj, language=language, number=position + 1, user=request.user)
        scope = api.get_own_scope(obj)
    except EngineError as error:  # nobody can tell what an engine says that is gone
        messages.error(request, api.explain_error(error), fail_silently=True)
        return redirect("narration:segments", source, object_id, language)
    except (NarrationNotFound, NotAllowed, SourceError) as error:
        raise Http404 from error
    context = {**build_names(obj, language), "found": found, "scope": scope, "position": position}
    return render(request, "narration/explain.html", context)


# Helpers --------------------------------------------------------------------------------------


def get_scope(request: HttpRequest, scope: str) -> str:
    """The scope key of an address; 404 for who may not change how things are said there."""
    key = "" if scope == INSTALLATION else scope
    if not api.can_edit_wording(key, user=request.user):
        raise Http404
    return key


def get_entry(key: str, uid: Any) -> LexiconEntry:
    """A scope's own entry, or 404."""
    row = LexiconEntry.objects.filter(scope_key=key, uid=uid).first()
    if row is None:
        raise Http404
    return row


def build_scope(key: str, tab: str) -> dict[str, Any]:
    """What every page of a scope shows of it."""
    found = find_object(key)
    url = found.get_absolute_url() if hasattr(found, "get_absolute_url") else ""
    title = str(found) if found is not None else get_title(key)
    return {
        "scope": key or INSTALLATION, "object": found, "title": title, "url": url, "tab": tab,
    }  # fmt: skip


def get_title(key: str) -> str:
    """What people call a scope."""
    if not key:
        return _("the whole site")
    return str(find_object(key) or key)


def find_object(key: str) -> Any:
    """The object whose own scope it is, None for none."""
    label, _separator, pk = key.partition(":")
    try:
        return apps.get_model(label)._default_manager.filter(pk=pk).first()  # noqa: SLF001
    except (LookupError, ValueError):
        return None


def render_entry(
    request: HttpRequest, key: str, form: EntryForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    """The page of one entry."""
    context = {**build_scope(key, "lexicon"), "form": form, **extra}
    return render(request, "narration/wording_entry.html", context, status=status)


def build_radius(change: Any, user: Any) -> dict[str, Any]:
    """What a change would do, with the seconds of new speech it asks for."""
    radius = api.build_blast_radius(change, user=user)
    seconds = round(radius.characters / CHARACTERS_PER_SECOND)
    return {"found": radius, "seconds": seconds, "narrations": radius.narrations[:20]}


def listen(request: HttpRequest, key: str, form: EntryForm, change: Any) -> dict[str, Any]:
    """Ask for the sound of a sample, or of the word alone."""
    language = form.cleaned_data["language"]
    text = request.POST.get("sample", "").strip()[:LONGEST_SAMPLE] or form.instance.grapheme
    try:
        job = api.request_audition(
            text, language=language, scope_key=key, user=request.user, change=change
        )
    except NarrationError as error:
        return {"problem": api.explain_error(error)}
    return {"audition": job, "sample": text}


def describe(radius: api.BlastRadius) -> str:
    """What a change did, in a sentence."""
    if not radius.narrations:
        return _("Saved. No sentence changes.")
    said = ngettext(
        "Saved. %(count)d sentence changes.", "Saved. %(count)d sentences change.", radius.sentences
    )
    return said % {"count": radius.sentences}
