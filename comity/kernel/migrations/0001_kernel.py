"""The kernel's tables, rights and functions, as plain SQL: what is enforced is best read where it is enforced."""

from pathlib import Path

from django.db import migrations

SCHEMA = Path(__file__).parent.parent / "schema"


class Migration(migrations.Migration):
    initial = True
    operations = [  # noqa: RUF012, Django reads it so
        migrations.RunSQL((SCHEMA / name).read_text(encoding="utf-8"), migrations.RunSQL.noop)
        for name in ("0001_ledger.sql", "0002_records.sql", "0003_rights.sql")
    ]
