"""The plugin's pages, mounted by the host under a prefix of its choice (``/narration/``)."""

from __future__ import annotations

from django.urls import include, path

from narration.views import media, panel, player

app_name = "narration"

narrated = [
    path("", panel.show_panel, name="panel"),
    path("narrate/", panel.narrate, name="narrate"),
    path("cancel/", panel.cancel, name="cancel"),
    path("publish/", panel.publish, name="publish"),
    path("sentences/", panel.show_segments, name="segments"),
    path("sentences/<int:position>/retake/", panel.retake, name="retake"),
]

#: One object in one language: ``courses.lesson/12/en/``.
narration_of = "<str:source>/<str:object_id>/<str:language>/"

urlpatterns = [
    path("media/<slug:kind>/<str:token>.<str:extension>", media.serve_media, name="media"),
    path(f"manifest/{narration_of}", player.show_manifest, name="manifest"),
    path(f"panel/{narration_of}", include(narrated)),
]
