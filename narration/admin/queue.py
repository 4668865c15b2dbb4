"""django-q2's own admin, for superusers only.

A schedule names any importable callable and its arguments, and the cluster calls it: who may edit
one may run any program as the worker. Stored tasks are pickles, and their admin's *Resubmit*
declares no permission.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest

APP = "django_q"


class SuperuserOnly(ModelAdmin):  # type: ignore[type-arg]
    """Whatever permissions somebody was given: only superusers."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is listed."""
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows are shown."""
        return _is_superuser(request) and super().has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether rows may be added."""
        return _is_superuser(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be changed."""
        return _is_superuser(request) and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be deleted."""
        return _is_superuser(request) and super().has_delete_permission(request)


def guard_queue() -> None:
    """Register the queue's models anew for superusers; nothing where there is no such app.

    Its admin module is imported first: the registration that Django's autodiscovery would make
    later is then done, and is not made again.
    """
    if not apps.is_installed(APP):
        return
    import_module(f"{APP}.admin")
    for model in apps.get_app_config(APP).get_models():
        registered = admin.site._registry.get(model)  # noqa: SLF001 - Django has no public look
        if registered is not None and not isinstance(registered, SuperuserOnly):
            bases = (SuperuserOnly, type(registered))
            admin.site.unregister(model)
            admin.site.register(model, type(f"Guarded{model.__name__}Admin", bases, {}))


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
