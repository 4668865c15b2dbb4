from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from tests.views.rows import (
    make_narration,
    make_rendition,
    make_segment,
    make_track,
    use_rendition,
)


@pytest.fixture
def staff(django_user_model):
    """May see and change everything in the admin; owns nothing, and is no superuser."""
    user = django_user_model.objects.create_user("staff", password="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


@pytest.fixture
def viewer(django_user_model):
    """May see everything in the admin, and nothing more."""
    user = django_user_model.objects.create_user("viewer", password="viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


@pytest.fixture
def narration(note):
    return make_narration(note)


@pytest.fixture
def track(narration):
    rendition = make_rendition()
    make_segment(narration, rendition)
    track = make_track(narration)
    use_rendition(track, rendition)
    return track
