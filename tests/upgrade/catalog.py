"""What the server's catalog says of a database: everything by which two of them could behave differently."""

from __future__ import annotations

import psycopg

_OURS = """
with ours as (
    select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
), brought as (
    select objid from pg_depend where deptype = 'e'
), tables as (
    select c.*, nspname || '.' || relname as name from pg_class c join ours on ours.oid = c.relnamespace
     where c.oid not in (select objid from brought)
), functions as (
    select p.*, p.oid::regprocedure::text as name from pg_proc p join ours on ours.oid = p.pronamespace
     where p.oid not in (select objid from brought)
)
"""
_ASKED = {
    "relations": """select name, relkind::text, pg_get_userbyid(relowner), relpersistence::text, relrowsecurity,
        relforcerowsecurity, reloptions::text, relreplident::text from tables""",
    "columns": """select name, row_number() over (partition by attrelid order by attnum), attname,
        format_type(atttypid, atttypmod), attnotnull, attidentity::text, attgenerated::text,
        attcollation::regcollation::text, pg_get_expr(adbin, adrelid), attstorage::text, attcompression::text
        from tables join pg_attribute a on a.attrelid = tables.oid and attnum > 0 and not attisdropped
        left join pg_attrdef on adrelid = attrelid and adnum = attnum where relkind in ('r', 'p', 'v', 'm', 'S')""",
    "constraints": """select name, conname, pg_get_constraintdef(c.oid), convalidated
        from tables join pg_constraint c on c.conrelid = tables.oid""",
    "indexes": """select name, pg_get_indexdef(indexrelid), indisvalid, indisclustered
        from tables join pg_index on indrelid = tables.oid""",
    "sequences": """select name, seqtypid::regtype::text, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle
        from tables join pg_sequence on seqrelid = tables.oid""",
    "functions": """select name, case prokind when 'a' then '' else pg_get_functiondef(oid) end,
        pg_get_function_result(oid), pg_get_userbyid(proowner)
        from functions""",
    "policies": """select name, polname, polcmd::text, polpermissive,
        array(select pg_get_userbyid(r) from unnest(polroles) r order by 1)::text,
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
        from tables join pg_policy on polrelid = tables.oid""",
    "triggers": """select name, tgname, pg_get_triggerdef(t.oid), tgenabled::text
        from tables join pg_trigger t on tgrelid = tables.oid where not tgisinternal""",
    "grants": """select name, '' as part, grantor::regrole::text, grantee::regrole::text, privilege_type, is_grantable
        from (select name, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
                  as acl from tables where relkind in ('r', 'p', 'v', 'm', 'S')
              union all select name, coalesce(proacl, acldefault('f', proowner)) from functions
              union all select n.nspname, coalesce(nspacl, acldefault('n', nspowner))
                from pg_namespace n join ours on ours.oid = n.oid
             ) held, aclexplode(acl)
        union all select name, attname, grantor::regrole::text, grantee::regrole::text, privilege_type, is_grantable
        from tables join pg_attribute on attrelid = tables.oid, aclexplode(attacl)""",
    "comments": """select name, objsubid, description from tables join pg_description on objoid = tables.oid""",
    "types": """select nspname, typname, typtype::text from pg_type join ours on ours.oid = typnamespace
        where pg_type.oid not in (select objid from brought) and typtype <> 'b'""",
}


def catalog(url: str) -> set[tuple[str, ...]]:
    """One line for each fact: what kind it is, of what, and what is said. Column numbers and ids are not in it."""
    with psycopg.connect(url, autocommit=True) as connection:
        return {
            (kind, *map(str, row))
            for kind, query in _ASKED.items()
            for row in connection.execute((_OURS + query).encode())
        }
