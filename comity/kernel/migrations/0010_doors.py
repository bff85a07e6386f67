"""What rebuilding may compare, and what may be pruned of the outbox, as plain SQL."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0009_waking")]  # noqa: RUF012, Django reads it so
    operations = [  # noqa: RUF012
        migrations.RunSQL((SCHEMA / "0012_doors.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
