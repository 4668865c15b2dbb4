"""Requests: the job row that serves one, made once however often it is asked for.

Nothing is planned in a request. A thousand of them take a few dozen queries: what is looked up is
looked up for all of them together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from narration import digests, logs, permissions
from narration.engines.models import WITHOUT_MODEL
from narration.exceptions import EngineError, NarrationError
from narration.models import (
    ACTIVE_STATES,
    Event,
    Job,
    JobKind,
    JobState,
    Narration,
    Override,
    get_actor_name,
    iter_chunks,
)
from narration.pipeline.castings import Castings
from narration.pipeline.events import build_event, record
from narration.pipeline.licences import Permits
from narration.pipeline.quotas import QuotaCheck, get_quota_scope
from narration.queue import bell
from narration.sources import get_source

#: Plans before sound: what is out of date is known before anything is made.
REFRESH_PRIORITY = -50
BATCH = 200
#: The event of a request, by what is asked for.
REQUESTED: dict[str, str] = {JobKind.NARRATE: "requested", JobKind.ESTIMATE: "refresh_requested"}


@dataclass(frozen=True, slots=True)
class Wish:
    """A narration that somebody asks for, with its object and the newest version of its text."""

    narration: Narration
    obj: models.Model
    version: int


def request_jobs(
    wishes: Sequence[Wish], *, user: Any, publish: bool, priority: int
) -> list[Job | NarrationError]:
    """For each wish the job that serves it, the one that is there already or a new one.

    A wish that is refused gets its error; the others are served.
    """
    found: dict[int, Job | NarrationError] = {}
    with transaction.atomic():
        drafts = _draft_jobs(wishes, found, user=user, publish=publish, priority=priority)
        active = _find_active(job.request_key for job in drafts.values())
        new: dict[str, Job] = {}
        for at, job in drafts.items():
            found[at] = active.get(job.request_key) or new.setdefault(job.request_key, job)
        _refuse_beyond_quota(new, found, wishes, user)
        created = _create_jobs(list(new.values()), user)
        _ring_for(drafts.values())
    outcomes = [found[at] for at in range(len(wishes))]
    return [
        created.get(outcome.request_key, outcome) if isinstance(outcome, Job) else outcome
        for outcome in outcomes
    ]


def request_job(
    narration: Narration, obj: models.Model, *, user: Any, publish: bool, priority: int
) -> Job:
    """``request_jobs`` of one; its refusal is raised."""
    version = get_source(obj).get_version(obj, narration.language)
    wish = Wish(narration, obj, version)
    (outcome,) = request_jobs([wish], user=user, publish=publish, priority=priority)
    if isinstance(outcome, NarrationError):
        raise outcome
    return outcome


def request_refreshes(narrations: Sequence[Narration], *, user: Any) -> dict[int, Job]:
    """Have plans refreshed in the background; the waiting jobs by narration.

    Asked twice it is done once. Narrations whose object is gone are left out, and those whose
    engine's model is: they are planned when somebody looks at them.
    """
    drafts = _draft_refreshes(narrations, permissions.get_actor(user), get_actor_name(user))
    with transaction.atomic():
        found = _find_active((job.request_key for job in drafts.values()), JobKind.ESTIMATE)
        waiting = {key: job for key, job in found.items() if job.state == JobState.QUEUED}
        new = [job for job in drafts.values() if job.request_key not in waiting]
        waiting |= _create_jobs(new, user)
        _ring_for(new)
    return {pk: waiting[job.request_key] for pk, job in drafts.items()}


def request_refresh(narration: Narration, *, user: Any) -> None:
    """``request_refreshes`` of one."""
    request_refreshes([narration], user=user)


def end_refresh(job: Job) -> None:
    """The plan was refreshed here and now: the job that would have done it has nothing to do."""
    waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    with transaction.atomic():
        if waiting.update(state=JobState.DONE, finished_at=Now()):
            record("job_done", narration=job.narration, job=job)


def _ring_for(jobs: Iterable[Job]) -> None:
    for lane, count in Counter(job.lane for job in jobs).items():
        bell.ring_on_commit(lane, count)


def _draft_refreshes(narrations: Sequence[Narration], actor: Any, name: str) -> dict[int, Job]:
    models.prefetch_related_objects(list(narrations), "source_object")
    chains = {
        row.pk: get_source(row.source_object).get_scope_chain(row.source_object)
        for row in narrations
        if row.source_object is not None
    }
    castings = Castings(key for chain in chains.values() for key in chain)
    lanes = {}
    for row in narrations:
        if row.pk in chains and (lane := _find_lane(castings, chains[row.pk], row)):
            lanes[row.pk] = lane
    return {
        row.pk: Job(
            kind=JobKind.ESTIMATE,
            narration=row,
            request_key=digests.build_request_key(row.pk, ("refresh",), publish=False),
            lane=lanes[row.pk],
            priority=REFRESH_PRIORITY,
            scope_key=get_quota_scope(chains[row.pk]),
            requested_by=actor,
            requested_by_name=name,
            request_id=logs.get_request_id(),
            queued_at=Now(),
        )
        for row in narrations
        if row.pk in lanes
    }


def _find_lane(castings: Castings, chain: Sequence[str], narration: Narration) -> str:
    """Where its plan is made; "" when its voice's model is gone, and it is marked as not planned.

    A reading version nobody has is what tells that a plan must be made anew before it is used.
    """
    try:
        return castings.get(chain, narration.language).lane
    except EngineError as error:
        if error.code not in WITHOUT_MODEL:
            raise
        Narration.objects.filter(pk=narration.pk).update(reading_version=0)
        return ""


def is_refresh_due(narration: Narration) -> bool:
    """Whether its plan waits to be refreshed since some wording changed."""
    return Job.objects.active().filter(narration=narration, kind=JobKind.ESTIMATE).exists()


def find_turn(lane: str, requester: int | None) -> int:
    """The next turn of a person in a lane: behind their own waiting jobs, beside the others'.

    Start-time fair queueing: who asks for a thousand narrations and who asks for one are served in
    alternation.
    """
    waiting = Job.objects.filter(kind=JobKind.NARRATE, state=JobState.QUEUED)
    turns = waiting.filter(lane=lane).in_order().values_list("turn", flat=True)
    own = waiting.filter(lane=lane, requested_by=requester).order_by("-turn")
    mine = own.values_list("turn", flat=True)
    next_of_all, last_of_mine = turns.first(), mine.first()
    return max(next_of_all or 0, -1 if last_of_mine is None else last_of_mine + 1, 0)


def find_turn_behind_others(job: Job) -> int:
    """The turn of a long job that has had its time: behind the next of somebody else.

    Its requester's own jobs do not go before it, so that a course is made lesson by lesson.
    """
    waiting = Job.objects.filter(kind=JobKind.NARRATE, state=JobState.QUEUED, lane=job.lane)
    others = waiting.exclude(requested_by=job.requested_by_id).filter(priority__lte=job.priority)
    turn = others.in_order().values_list("turn", flat=True).first()
    return job.turn if turn is None else max(job.turn, turn + 1)


def _draft_jobs(
    wishes: Sequence[Wish],
    found: dict[int, Job | NarrationError],
    *,
    user: Any,
    publish: bool,
    priority: int,
) -> dict[int, Job]:
    """Unsaved jobs by the place of their wish; what has no voice gets its error instead."""
    chains = [list(get_source(wish.obj).get_scope_chain(wish.obj)) for wish in wishes]
    castings = Castings(key for chain in chains for key in chain)
    permits = Permits()
    overrides = _list_overrides([wish.narration for wish in wishes])
    drafts: dict[int, Job] = {}
    turns: dict[str, int] = {}
    actor = permissions.get_actor(user)
    for at, (wish, chain) in enumerate(zip(wishes, chains, strict=True)):
        try:
            casting = castings.get(chain, wish.narration.language)
            permits.require(cast.facts for cast in casting.voices.values())
            casting.demand_consents()
            _demand_phrases(castings, chain, wish)
        except NarrationError as error:
            found[at] = error
            continue
        versions: tuple[int | str, ...] = (
            wish.version,
            *casting.versions,
            *overrides[wish.narration.pk],
        )
        if casting.lane not in turns:
            turns[casting.lane] = find_turn(casting.lane, getattr(actor, "pk", None))
        drafts[at] = Job(
            kind=JobKind.NARRATE,
            narration=wish.narration,
            request_key=digests.build_request_key(wish.narration.pk, versions, publish=publish),
            scope_key=get_quota_scope(chain),
            lane=casting.lane,
            priority=priority,
            turn=turns[casting.lane],
            payload={"publish": publish, "version": wish.version},
            requested_by=actor,
            requested_by_name=get_actor_name(user),
            request_id=logs.get_request_id(),
            queued_at=Now(),
        )
        turns[casting.lane] += 1
    return drafts


def _demand_phrases(castings: Castings, chain: Sequence[str], wish: Wish) -> None:
    """``ConsentError`` where a phrase in another language is cast with who may not speak it.

    The text is read only where there is such a voice at all.
    """
    narration, source = wish.narration, get_source(wish.obj)
    named = castings.get(chain, narration.language).named - {narration.language}
    silent = [language for language in named if _is_silent(castings, chain, narration, language)]
    if not silent:
        return
    for passage in source.get_passages(wish.obj, narration.language, wish.version):
        for language in {run.language or passage.language for run in passage.runs} & {*silent}:
            casting = castings.get(chain, narration.language, (language,))
            if casting.speaks(language):
                casting.get(passage.role, language).demand_consent()


def _is_silent(
    castings: Castings, chain: Sequence[str], narration: Narration, language: str
) -> bool:
    """Whether some voice of this other language may not speak.

    One that cannot be cast at all is met by who plans, and refused there.
    """
    try:
        foreign = castings.get(chain, narration.language, (language,)).foreign or {}
    except NarrationError:
        return False
    try:
        for cast in foreign.get(language, {}).values():
            cast.demand_consent()
    except NarrationError:
        return True
    return False


def _list_overrides(narrations: Iterable[Narration]) -> Mapping[int, list[str]]:
    """By narration: changes whenever an author's word is added, changed or taken back."""
    found: dict[int, list[str]] = defaultdict(list)
    for chunk in iter_chunks(narration.pk for narration in narrations):
        rows = Override.objects.filter(narration__in=chunk).order_by("pk")
        for narration, pk, value in rows.values_list("narration", "pk", "value"):
            found[narration].append(f"{pk}:{value}")
    return found


def _find_active(keys: Iterable[str], kind: JobKind = JobKind.NARRATE) -> dict[str, Job]:
    """Jobs that wait or work for these keys; the one that works where there are two."""
    found: dict[str, Job] = {}
    for chunk in iter_chunks(keys):
        jobs = Job.objects.filter(kind=kind, request_key__in=chunk, state__in=ACTIVE_STATES)
        for job in jobs.exclude(cancel_requested=True).order_by("state"):
            found[job.request_key] = job
    return found


def _refuse_beyond_quota(
    new: dict[str, Job], found: dict[int, Job | NarrationError], wishes: Sequence[Wish], user: Any
) -> None:
    """Take out of ``new`` what its requester or its course may not ask for now."""
    checked = QuotaCheck(permissions.get_actor(user))
    for at in range(len(wishes)):
        job = found[at]
        if isinstance(job, Job) and new.get(job.request_key) is job:
            chain = get_source(wishes[at].obj).get_scope_chain(wishes[at].obj)
            try:
                checked.allow(chain, job.scope_key)
            except NarrationError as error:
                found[at] = error
                del new[job.request_key]


def _create_jobs(jobs: Sequence[Job], user: Any) -> dict[str, Job]:
    """Write them with their events; by request key, as they are in the database."""
    if len(jobs) == 1:
        created = [_create_one(jobs[0], user)]
    else:
        try:
            with transaction.atomic():
                created = Job.objects.bulk_create(jobs, batch_size=BATCH)
                events = [
                    build_event(REQUESTED[job.kind], narration=job.narration, job=job, actor=user)
                    for job in created
                ]
                Event.objects.bulk_create(events, batch_size=BATCH)
        except IntegrityError:
            # Somebody asked for one of them in this moment: theirs serves both.
            created = [_create_one(job, user) for job in jobs]
    return {
        job.request_key: job
        for chunk in iter_chunks(job.pk for job in created)
        for job in Job.objects.filter(pk__in=chunk)
    }


def _create_one(job: Job, user: Any) -> Job:
    job.pk = None
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            record(REQUESTED[job.kind], narration=job.narration, job=job, actor=user)
    except IntegrityError:
        return Job.objects.get(kind=job.kind, request_key=job.request_key, state=JobState.QUEUED)
    return job
