"""What an agency's definitions say are obligations, for the question who owes, as plain SQL."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0010_doors")]  # noqa: RUF012, Django reads it so
    operations = [  # noqa: RUF012
        migrations.RunSQL((SCHEMA / "0013_obligations.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)
    ]
