"""What the plugin does when a host deletes an object it narrates, and when a job ended.

The rows of what was deleted stay: its events and usage are history, and its renditions may be
spoken elsewhere. Nobody can reach them any more, because a source's ``visible_to`` no longer finds
the object.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.db.models.signals import pre_delete

from narration import api, conf
from narration.models import ACTIVE_STATES, Job, Narration
from narration.pipeline.mails import write_to_requester
from narration.pipeline.publish import withdraw_published
from narration.signals import job_state_changed
from narration.sources import get_sources

#: Why a track was withdrawn; stored, so not translated.
REASON = "The narrated object was deleted."


def connect_sources() -> None:
    """Watch every narrated model, and its proxies; call it once all sources are registered.

    Each model by itself: a receiver of all models would end Django's fast deletes everywhere.
    """
    narrated = {source.model for source in get_sources()}
    for model in apps.get_models():
        if model._meta.concrete_model in narrated:
            pre_delete.connect(
                forget_object, sender=model, dispatch_uid=f"narration:{model._meta.label}"
            )


def forget_object(sender: type[Model], instance: Model, **_options: Any) -> None:
    """Cancel the jobs of an object and withdraw its tracks, in the transaction that deletes it.

    Before the deletion, while the object can still be found.
    """
    api.cancel_jobs(instance)
    narrations = Narration.objects.filter(
        content_type=ContentType.objects.get_for_model(sender), object_id=str(instance.pk)
    )
    for pk in narrations.filter(published_track__isnull=False).values_list("pk", flat=True):
        withdraw_published(pk, reason=REASON)


def tell_requester(job_uid: Any, state: str, **_options: Any) -> None:
    """Write to who asked for a job that ended, where ``EMAIL_WHEN_DONE`` is set.

    In the process that ended the job, after its transaction.
    """
    if state in ACTIVE_STATES or not conf.get_configuration().email_when_done:
        return
    requester = Job.objects.filter(uid=job_uid).values_list("requested_by", flat=True).first()
    if requester is not None:
        write_to_requester(requester)


job_state_changed.connect(tell_requester, dispatch_uid="narration:tell_requester")
