"""The API's addresses, mounted by the host (``/api/v1/``)."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from narration.rest import views
from narration.rest.kit import UnknownView

app_name = "narration-api"

urlpatterns = [
    path("auth/token/", views.LoginView.as_view(), name="login"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("narrations/", views.NarrationListView.as_view(), name="narrations"),
    path("narrations/estimate/", views.EstimateView.as_view(), name="estimate"),
    path("narrations/<uuid:uid>/", views.NarrationView.as_view(), name="narration"),
    path("narrations/<uuid:uid>/manifest/", views.ManifestView.as_view(), name="manifest"),
    path("narrations/<uuid:uid>/captions/", views.CaptionsView.as_view(), name="captions"),
    path("narrations/<uuid:uid>/audio/", views.AudioView.as_view(), name="audio"),
    path("jobs/<uuid:uid>/", views.JobView.as_view(), name="job"),
    path("jobs/<uuid:uid>/cancel/", views.CancelJobView.as_view(), name="cancel"),
    path("jobs/<uuid:uid>/retry/", views.RetryJobView.as_view(), name="retry"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="narration-api:schema", template_name="narration/rest/docs.html"
        ),
        name="docs",
    ),
    re_path(r"", UnknownView.as_view()),
]
