"""Which agencies' offers wait to follow their answers, as plain SQL."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0006_joints")]  # noqa: RUF012, Django reads it so
    operations = [  # noqa: RUF012
        migrations.RunSQL((SCHEMA / "0009_following.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
