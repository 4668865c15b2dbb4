"""Settings every environment shares. The environment is read in this package and nowhere else."""

from pathlib import Path

import environ
from csp.constants import NONCE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("DJANGO_ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "courses",
    "narration",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "django_htmx",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "narration.logs.request_id_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    }
]

VAR_DIR = Path(env.str("NARRATION_VAR_DIR", default=str(BASE_DIR / "var")))


def build_databases(url: str) -> dict[str, dict[str, object]]:
    """The database of ``url`` with the settings that held under contention.

    SQLite: IMMEDIATE transactions, WAL and a 20 s wait gave no "database is locked" in 240
    contended writes, where the defaults gave 121. Both: persistent connections, because the queue
    polls.
    """
    database: dict[str, object] = dict(environ.Env.db_url_config(url))
    database["CONN_MAX_AGE"] = 600
    if "sqlite3" in str(database["ENGINE"]):
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        database["CONN_HEALTH_CHECKS"] = True
    return {"default": database}


DATABASES = build_databases(env.str("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "courses:home"
LOGOUT_REDIRECT_URL = "courses:home"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("pt-br", _("Brazilian Portuguese"))]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
TIME_ZONE = env.str("DJANGO_TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "media"},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "narration": {
        "BACKEND": "narration.storage.AtomicFileStorage",
        "OPTIONS": {"location": VAR_DIR / "narration"},
    },
}

# Why these values: docs/decisions/0003-jobs-are-rows.md
Q_CLUSTER = {
    "name": "narration",
    "orm": "default",
    "workers": env.int("Q_WORKERS", default=2),
    "timeout": 600,
    "retry": 2400,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "save_limit": -1,
    "guard_cycle": 0.5,
    "queue_limit": 1,
    "bulk": 1,
    "poll": 0.2,
    # A recycled worker looks like a dead one to the supervisor, which then restarts the cluster.
    "recycle": 1_000_000,
    "label": "Queue",
    # Lanes with a cluster of their own, which is started with Q_CLUSTER_NAME=<lane>.
    # One process each: every process loads a model of its own, and a card has room for few.
    "ALT_CLUSTERS": {
        lane: {"workers": env.int("Q_LANE_WORKERS", default=1)}
        for lane in env.list("Q_LANES", default=[])
    },
}
# A faster bell that may lose messages (narration.W004): docs/how-to/run-in-production.md
if redis_url := env.str("Q_REDIS_URL", default=""):
    Q_CLUSTER |= {
        "orm": None,
        "broker_class": "narration.queue.doorbell.RedisDoorbell",
        "redis": redis_url,
    }

NARRATION: dict[str, object] = {"MODELS_DIR": VAR_DIR / "models"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "narration.rest.kit.handle_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Narration",
    "DESCRIPTION": "Ask for narrations, follow their jobs, fetch manifest, captions and audio.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# Nothing from elsewhere, nothing inline but what carries this response's nonce.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"


def build_logging(form: str) -> dict[str, object]:
    """Everything to standard error, for people (``line``) or for programs (``json``)."""
    # Named here with a level, they pass all they say to the one handler of the root.
    told = ("narration", "courses", "django", "django-q")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"context": {"()": "narration.logs.ContextFilter"}},
        "formatters": {
            "line": {"()": "narration.logs.LineFormatter"},
            "json": {"()": "narration.logs.JsonFormatter"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "filters": ["context"],
                "formatter": form,
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {name: {"level": "INFO"} for name in told},
    }


LOGGING = build_logging(env.str("NARRATION_LOG_FORMAT", default="line"))
