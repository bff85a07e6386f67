"""Django's own settings. It serves HTTP and has no database: every statement goes through our own psycopg pool."""

from comity.config.secret import secret_of_node
from comity.config.settings import settings

_settings = settings()

SECRET_KEY = secret_of_node(_settings.keys, "django_secret")
DEBUG = False
ALLOWED_HOSTS = ["*"] if _settings.trusted_proxy else ["127.0.0.1", "localhost", "[::1]", _settings.bind_host]
INSTALLED_APPS: list[str] = []
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "comity.config.urls"
TEMPLATES: list[dict[str, object]] = []
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 2**20
SECURE_CONTENT_TYPE_NOSNIFF = True
if _settings.trusted_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
