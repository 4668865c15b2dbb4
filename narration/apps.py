"""The app: reads hosts' ``narration_sources`` modules when Django is ready."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class NarrationAppConfig(AppConfig):
    name = "narration"
    verbose_name = _("Narration")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect receivers and checks, and let every app register its sources."""
        from narration import checks, receivers  # noqa: F401
        from narration.models.triggers import carry_triggers, install_triggers

        autodiscover_modules("narration_sources")
        receivers.connect_sources()
        pre_migrate.connect(carry_triggers, sender=self, dispatch_uid="narration:triggers")
        post_migrate.connect(install_triggers, sender=self, dispatch_uid="narration:triggers")
        if apps.is_installed("django_q"):
            from narration.queue.schedule import ensure_schedules

            post_migrate.connect(ensure_schedules, sender=self, dispatch_uid="narration:schedules")
