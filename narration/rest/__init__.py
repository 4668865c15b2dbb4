"""The REST API: thin callers of ``narration.api``. ``kit`` is public, the rest may change."""
