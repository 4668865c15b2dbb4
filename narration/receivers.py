"""What the plugin does when a host deletes an object it narrates.

The narration's rows stay: its events and usage are history, and its renditions may be spoken
elsewhere. Nobody can reach them any more, because a source's ``visible_to`` no longer finds the
object.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.db.models.signals import pre_delete

from narration import api
from narration.models import Narration
from narration.pipeline.publish import withdraw_published
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
