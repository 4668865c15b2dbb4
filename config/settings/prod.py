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
# Where letters go, such as smtp://user:password@host:587/?tls=True; without it they are not sent.
if email_url := env.str("EMAIL_URL", default=""):
    vars().update(env.email_url_config(email_url))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DJANGO_FROM_EMAIL", default="webmaster@localhost")
LOGGING = build_logging(env.str("NARRATION_LOG_FORMAT", default="json"))
NARRATION = {
    **NARRATION,
    "X_ACCEL_PREFIX": env.str("NARRATION_X_ACCEL_PREFIX", default=""),
    "EMAIL_WHEN_DONE": env.bool("NARRATION_EMAIL_WHEN_DONE", default=False),
}
