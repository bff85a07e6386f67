"""Pointers that say what collides, windows of time, and ties between records, as plain SQL."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0005_orders")]  # noqa: RUF012, Django reads it so
    operations = [  # noqa: RUF012
        migrations.RunSQL((SCHEMA / "0008_joints.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
