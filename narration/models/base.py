"""What every table shares: a public id, and checks that hold choices in the database itself."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models


class Row(models.Model):
    """Base of all tables: bigint primary key, ``uid`` as the only public id."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


def build_choices_check(
    table: str, field: str, choices: type[models.Choices]
) -> models.CheckConstraint:
    """Hold ``field`` to its choices in the database, not only in forms."""
    return models.CheckConstraint(
        name=f"narration_{table}_{field}_known",
        condition=models.Q(**{f"{field}__in": choices.values}),
    )


def build_actor_field(**kwargs: Any) -> models.ForeignKey[Any, Any]:
    """Who did it; beside it a copy of the name stays when the account goes."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        **kwargs,
    )


def get_actor_name(user: Any) -> str:
    """The name kept beside an actor key; "" for nobody."""
    return user.get_username() if user is not None and user.is_authenticated else ""
