"""What hosts may listen to. Sent after the transaction that made it true has committed."""

from django.dispatch import Signal

#: A job changed its state. Arguments: ``job_uid``, ``state``.
job_state_changed = Signal()
#: Learners hear another track. Arguments: ``narration_uid``, ``track_uid``.
narration_published = Signal()
