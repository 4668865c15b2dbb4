"""Who edits a schedule of django-q2 runs programs as the worker: superusers only."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

QUEUE = list(apps.get_app_config("django_q").get_models())
REGISTERED = [model for model in QUEUE if admin.site.is_registered(model)]


def get_list_url(model):
    return reverse(f"admin:django_q_{model._meta.model_name}_changelist")


def test_the_schedule_is_among_what_is_tested():
    assert "schedule" in [model._meta.model_name for model in REGISTERED]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_staff_with_every_permission_is_kept_out(client, staff, model):
    client.force_login(staff)
    url = get_list_url(model)
    assert client.get(url).status_code == 403
    assert client.get(url + "add/").status_code == 403
    assert (
        client.post(url, {"action": "resubmit_task", "_selected_action": ["1"]}).status_code == 403
    )
    assert "django_q" not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_superusers_are_let_in(admin_client, model):
    assert admin_client.get(get_list_url(model)).status_code == 200


def test_staff_cannot_plant_a_schedule(client, staff):
    client.force_login(staff)
    data = {
        "name": "x",
        "func": "os.system",
        "args": "'true'",
        "schedule_type": "O",
        "repeats": "1",
        "next_run_0": "2026-01-01",
        "next_run_1": "10:00",
    }
    response = client.post(reverse("admin:django_q_schedule_add"), data)
    assert response.status_code == 403
    assert not apps.get_model("django_q", "schedule").objects.filter(name="x").exists()
