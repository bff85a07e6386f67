"""Django's own settings. Its database connection is the owner's: Django runs the migrations, and nothing else in SQL.

Every other statement goes through our psycopg pool as the role comity_app.
"""

from comity.config.database import django_connection, owner_url_without_starting
from comity.config.secret import secret_of_node
from comity.config.settings import settings

_settings = settings()

SECRET_KEY = secret_of_node(_settings.keys, "django_secret")
DEBUG = False
ALLOWED_HOSTS = ["*"] if _settings.trusted_proxy else ["127.0.0.1", "localhost", "[::1]", _settings.bind_host]
INSTALLED_APPS = ["comity.kernel"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "comity.config.urls"
TEMPLATES: list[dict[str, object]] = []
DATABASES = {"default": django_connection(owner_url_without_starting(_settings))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 2**20
SECURE_CONTENT_TYPE_NOSNIFF = True
if _settings.trusted_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
