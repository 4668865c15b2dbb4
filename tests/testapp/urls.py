from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", auth_views.LoginView.as_view(), name="login"),
    path("health/", include("narration.views.health")),
    path("narration/", include("narration.urls")),
    path("api/v1/", include("narration.rest.urls")),
]
