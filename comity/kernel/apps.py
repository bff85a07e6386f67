"""The only Django application with tables. Django migrates them; the kernel's paths are plain SQL over psycopg."""

from django.apps import AppConfig


class Kernel(AppConfig):
    name = "comity.kernel"
    label = "kernel"
