"""Escalations of what stays unanswered, as plain SQL."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0004_leave")]  # noqa: RUF012, Django reads it so
    operations = [  # noqa: RUF012
        migrations.RunSQL((SCHEMA / "0007_orders.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
