"""Warming: load an engine ahead of use, on the worker whose lane it is in."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from narration import conf, digests, logs, permissions
from narration.engines.models import WITHOUT_MODEL
from narration.exceptions import EngineError
from narration.models import Job, JobKind, JobState, get_actor_name
from narration.pipeline.events import record
from narration.pipeline.licences import Permits
from narration.pipeline.synthesize import Listener
from narration.queue import bell
from narration.speaking import describe_engine, get_engine_process, hold_engine

#: After what somebody waits for at their desk, before every narration.
PRIORITY = -60


def request_warming(alias: str, *, user: Any) -> Job:
    """The job that loads this engine, the one that waits or a new one.

    ``ConfigurationError`` when there is no such alias, ``LicenceNotAccepted`` and ``EngineError``
    (``WITHOUT_MODEL``) where no worker could load it.
    """
    engine = conf.get_engine(alias)
    _demand_model(alias)
    key = digests.build_warm_key(alias)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=JobKind.WARM,
                request_key=key,
                lane=engine.lane,
                priority=PRIORITY,
                payload={"engine": alias},
                requested_by=permissions.get_actor(user),
                requested_by_name=get_actor_name(user),
                request_id=logs.get_request_id(),
                queued_at=Now(),
            )
            record("warm_requested", job=job, actor=user, data={"engine": alias})
    except IntegrityError:
        job = Job.objects.get(kind=JobKind.WARM, request_key=key, state=JobState.QUEUED)
    bell.ring_on_commit(job.lane)
    job.refresh_from_db()
    return job


def _demand_model(alias: str) -> None:
    """Nobody waits for what is known to fail. Libraries may be on the worker's machine alone."""
    try:
        facts = describe_engine(alias)
    except EngineError as error:
        if error.code in WITHOUT_MODEL:
            raise
        return
    Permits().require([facts])


def warm_up(job: Job, listener: Listener) -> None:
    """Load the engine of a warm job; it stays. ``EngineError`` says why it cannot be, and
    ``LicenceNotAccepted`` that nobody has accepted its model's terms.
    """
    alias = str(job.payload.get("engine", ""))
    if alias not in conf.get_engines():
        raise EngineError(
            f"The settings this worker was started with know no engine '{alias}': restart it "
            f"(NARRATION['ENGINES'] and DJANGO_SETTINGS_MODULE as the site has them).",
            code="engine_not_configured",
        )
    Permits().require([describe_engine(alias)])
    with hold_engine(alias, listener.check), listener.busy():
        get_engine_process(alias)
