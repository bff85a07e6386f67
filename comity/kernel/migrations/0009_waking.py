"""Which agencies have work that is due, and collisions in fewer statements, as plain SQL."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0008_marks_and_instants")]  # noqa: RUF012, Django reads it so
    operations = [  # noqa: RUF012
        migrations.RunSQL((SCHEMA / "0011_waking.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
