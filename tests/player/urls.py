from django.urls import include, path

urlpatterns = [path("narration/", include("narration.urls"))]
