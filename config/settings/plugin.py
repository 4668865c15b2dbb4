"""The plugin alone: proves that narration needs no courses."""

from config.settings.test import *

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "courses"]
ROOT_URLCONF = "tests.testapp.urls"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
