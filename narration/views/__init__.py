"""Pages and media of the plugin: thin callers of ``narration.api``."""
