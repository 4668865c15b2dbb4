"""The plugin's pages, mounted by the host under a prefix of its choice (``/narration/``)."""

from __future__ import annotations

from django.urls import include, path

from narration.views import media, notices, panel, player, wording

app_name = "narration"

narrated = [
    path("", panel.show_panel, name="panel"),
    path("narrate/", panel.narrate, name="narrate"),
    path("cancel/", panel.cancel, name="cancel"),
    path("publish/", panel.publish, name="publish"),
    path("sentences/", panel.show_segments, name="segments"),
    path("sentences/<int:position>/retake/", panel.retake, name="retake"),
    path("sentences/<int:position>/accept/", panel.accept, name="accept"),
    path("sentences/<int:position>/why/", wording.explain, name="explain"),
]

#: How things are said in a scope: ``courses.course:3``, or ``installation``.
worded = [
    path("", wording.show_wording, name="wording"),
    path("rules/", wording.edit_rules, name="wording-rules"),
    path("entry/", wording.edit_entry, name="wording-new"),
    path("entry/<uuid:entry>/", wording.edit_entry, name="wording-entry"),
    path("entry/<uuid:entry>/state/", wording.set_state, name="wording-state"),
]

#: One object in one language: ``courses.lesson/12/en/``.
narration_of = "<str:source>/<str:object_id>/<str:language>/"

urlpatterns = [
    path("media/<slug:kind>/<str:token>.<str:extension>", media.serve_media, name="media"),
    path(f"manifest/{narration_of}", player.show_manifest, name="manifest"),
    path(f"panel/{narration_of}", include(narrated)),
    path("wording/<str:scope>/", include(worded)),
    path("notices/dismiss/", notices.dismiss, name="dismiss"),
    path("audition/<uuid:job>/", wording.show_audition, name="audition"),
]
