"""How a host app hands its objects to the plugin.

A host writes one subclass of ``NarrationSource`` per model, in a module ``narration_sources.py``
of the app, and decorates it with ``@register``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from narration.exceptions import SourceError
from narration.values import Passage

M = TypeVar("M", bound=Model)

#: What ``visible_to`` is asked about, from least to most power.
ACTIONS = ("view", "listen", "narrate", "publish")

INSTALLATION = ""


class NarrationSource(Generic[M]):
    """Adapter between one host model and the plugin. All methods are cheap but ``get_passages``."""

    model: ClassVar[type[Model]]

    def get_passages(self, obj: M, language: str, version: int) -> Sequence[Passage]:
        """The text of that version, in reading order. Pure: no writes, no network."""
        raise NotImplementedError

    def get_version(self, obj: M, language: str) -> int:
        """An integer that changes whenever the text may have changed; read afresh each time."""
        raise NotImplementedError

    def get_languages(self, obj: M) -> Sequence[str]:
        """Languages this object has text in, as BCP 47 tags, the main one first."""
        raise NotImplementedError

    def get_title(self, obj: M, language: str) -> str:
        """What people call the object; no part of the sound."""
        return str(obj)

    def get_url(self, obj: M, language: str) -> str:
        """Where learners read it; "" when there is no page."""
        return ""

    def get_scope_chain(self, obj: M) -> Sequence[str]:
        """Scope keys, nearest first, ending with the installation's ""."""
        return (get_scope_key(obj), INSTALLATION)

    def find_in_scope(self, scope_key: str) -> QuerySet[M]:
        """The objects whose scope chain holds ``scope_key``; override it with ``get_scope_chain``.

        The default knows the installation and each object's own key.
        """
        rows: QuerySet[M] = self.model._default_manager.all()  # type: ignore[assignment]  # noqa: SLF001
        if scope_key == INSTALLATION:
            return rows
        key = find_scope_pk(self.model, scope_key)
        return rows.none() if key is None else rows.filter(pk=key)

    def is_scope(self, scope_key: str) -> bool:
        """Whether this is a scope of this source, written as its objects' chains write it.

        The default: whether an object is in it; override it where a scope may be empty.
        """
        return self.find_in_scope(scope_key).exists()

    def get_scopes(self) -> QuerySet[Any]:
        """What people know as a course: objects whose ``get_scope_key`` is in the chains.

        A consent may be for one of them. The default: the objects that are narrated.
        """
        return self.model._default_manager.all()  # noqa: SLF001

    def can_edit_scope(self, user: Any, scope_key: str) -> bool:
        """Whether ``user`` may change lexicon and policy of this scope.

        The default: who may narrate every object in it, where there is one.
        """
        everything = self.find_in_scope(scope_key)
        mine = self.visible_to(user, "narrate").values("pk")
        return everything.exists() and not everything.exclude(pk__in=mine).exists()

    def visible_to(self, user: Any, action: str) -> QuerySet[M]:
        """The objects on which ``user`` may do ``action`` (one of ``ACTIONS``)."""
        raise NotImplementedError

    def get_versions(self, objects: Sequence[M], language: str) -> Mapping[Any, int]:
        """``get_version`` of many objects by primary key; override it where one query does.

        Objects without a text in this language are left out.
        """
        return {
            obj.pk: self.get_version(obj, language)
            for obj in objects
            if language in self.get_languages(obj)
        }

    def get_public_version(self, obj: M, language: str) -> int | None:
        """The version learners read now, None if none.

        A narration of just this version is published as soon as it is made. The default suits
        hosts without drafts: what is current is public.
        """
        return self.get_version(obj, language)

    def publish_version(self, obj: M, language: str, version: int, user: Any) -> None:
        """Make this version the public one, inside the transaction that publishes its track."""


_registry: dict[type[Model], NarrationSource[Any]] = {}


def register(source_class: type[NarrationSource[Any]]) -> type[NarrationSource[Any]]:
    """Class decorator: objects of ``source_class.model`` can be narrated."""
    _registry[source_class.model] = source_class()
    return source_class


def get_source(model_or_object: type[Model] | Model) -> NarrationSource[Any]:
    """The source of a model or of one of its objects; ``SourceError`` when there is none."""
    model = model_or_object if isinstance(model_or_object, type) else type(model_or_object)
    concrete = model._meta.concrete_model
    if concrete not in _registry:
        raise SourceError(
            f"{model._meta.label} cannot be narrated: register a NarrationSource for it in "
            f"{model._meta.app_label}/narration_sources.py.",
            code="source_not_registered",
        )
    return _registry[concrete]


def get_sources() -> list[NarrationSource[Any]]:
    """All registered sources, ordered by model label."""
    return sorted(_registry.values(), key=lambda source: source.model._meta.label)


def find_scope_pk(model: type[Model], scope_key: str) -> Any:
    """The primary key that ``get_scope_key`` of one of ``model``'s objects ends with, else None.

    Only as it is written there: "note:01" names nothing, since nothing said there would speak.
    """
    label, _separator, key = scope_key.partition(":")
    if label != model._meta.label_lower or not key or "\0" in key:
        return None
    try:
        value = model._meta.pk.to_python(key)
    except (ValidationError, ValueError, OverflowError, TypeError):
        return None
    return value if str(value) == key else None


def get_scope_key(obj: Model) -> str:
    """``app.model:pk`` of an object: the key of its own lexicon and policy."""
    return f"{obj._meta.label_lower}:{obj.pk}"
