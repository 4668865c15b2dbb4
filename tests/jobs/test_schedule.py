"""What the queue does by the clock."""

import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.models import Schedule

from narration.queue.schedule import SCHEDULES

pytestmark = pytest.mark.django_db


def test_migrating_writes_the_schedules_once_and_keeps_what_somebody_changed():
    Schedule.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert dict(Schedule.objects.values_list("func", "minutes")) == SCHEDULES
    Schedule.objects.update(minutes=7)
    call_command("migrate", verbosity=0)
    assert set(Schedule.objects.values_list("minutes", flat=True)) == {7}
    assert Schedule.objects.count() == len(SCHEDULES)


@pytest.mark.parametrize("task", SCHEDULES)
def test_what_is_scheduled_can_be_called(task):
    import_string(task)()
