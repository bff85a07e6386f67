"""Subscriptions, webhooks and the live feed, as plain SQL."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_kernel")]  # noqa: RUF012, Django reads it so
    operations = [  # noqa: RUF012
        migrations.RunSQL((SCHEMA / "0004_sharing.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
