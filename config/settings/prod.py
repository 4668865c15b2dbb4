"""Production: every secret from the environment, cookies and transport locked down."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *

if not SECRET_KEY:
    raise ImproperlyConfigured("Set DJANGO_SECRET_KEY.")

SECURE_SSL_REDIRECT = env.bool("DJANGO_SSL_REDIRECT", default=True)
# Probes call the process itself, behind what ends TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGGING = build_logging(env.str("NARRATION_LOG_FORMAT", default="json"))
NARRATION = {**NARRATION, "X_ACCEL_PREFIX": env.str("NARRATION_X_ACCEL_PREFIX", default="")}
