"""One site: courses at the root, the plugin under /narration/, its API under /api/v1/."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", auth_views.LoginView.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("health/", include("narration.views.health")),
    path("narration/", include("narration.urls")),
    path("api/v1/", include("narration.rest.urls")),
    path("", include("courses.urls")),
]
