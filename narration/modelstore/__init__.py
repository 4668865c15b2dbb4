"""Models on disk: fetched or brought, checked, converted, put in their place, taken away.

A model lies in ``<MODELS_DIR>/<name>`` with its card (``engines.models``). Whatever happens while
one is made, that folder holds the old model or the new one. Beside it: ``cache`` for what libraries
keep, ``voices`` for latents of cloned voices, ``downloads`` for published files on their way.
"""

from narration.modelstore.cards import export_card, import_card
from narration.modelstore.configured import (
    PAGE,
    ConfiguredModel,
    explain_no_engine,
    get_model,
    list_models,
)
from narration.modelstore.install import import_from
from narration.modelstore.looking import Inspection, Presence, inspect, verify
from narration.modelstore.place import prepare_folders
from narration.modelstore.published import Report
from narration.modelstore.whole import download, get_downloads, remove

__all__ = [
    "PAGE",
    "ConfiguredModel",
    "Inspection",
    "Presence",
    "Report",
    "download",
    "explain_no_engine",
    "export_card",
    "get_downloads",
    "get_model",
    "import_card",
    "import_from",
    "inspect",
    "list_models",
    "prepare_folders",
    "remove",
    "verify",
]
