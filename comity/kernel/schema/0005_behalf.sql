-- ON BEHALF: what a member enters for an institution that is outside, and what that institution says of it once it joined.

-- The institution for which a record was entered by its owner; empty where the owner entered its own.
alter table comity.record add column on_behalf text not null default '';

-- One row for each entry made on behalf of another. `agency` is the institution that is said to have acted, `by_agency`
-- reports it. Made with the entry; the verdict is an entry in the institution's own log.
create table comity.reported (
    entry uuid primary key,
    agency text not null,
    by_agency text not null,
    record uuid not null,
    type text not null,
    act text not null,
    document uuid not null,
    entered_at timestamptz not null,
    state text not null default 'open' check (state in ('open', 'confirmed', 'disputed')),
    answer_entry uuid,
    check (agency <> by_agency),
    check ((state = 'open') = (answer_entry is null))
);
create index reported_agency on comity.reported (agency, state, entered_at desc);
create index reported_by on comity.reported (by_agency, state);
create index reported_record on comity.reported (record);

alter table comity.reported enable row level security;
alter table comity.reported force row level security;
-- Whoever may reach the reporter's entries learns for whom they were made; the verdict is the institution's alone.
create policy reach on comity.reported for select to comity_app
    using (agency = comity.me() or by_agency = any ((select comity.reach())::text[]));
create policy own_reports on comity.reported for select to current_user using (by_agency = comity.me());
create policy reporter_reports on comity.reported for insert with check (by_agency = comity.me() and state = 'open');
create policy institution_judges on comity.reported for update using (agency = comity.me())
    with check (agency = comity.me());
grant select, insert on comity.reported to comity_app;
grant update (state, answer_entry) on comity.reported to comity_app;

-- As before, and: whoever reported an institution's act reaches the entry in which that one judged it.
create or replace function comity.reach() returns text[] language plpgsql stable security definer
set search_path = comity, pg_temp as $$
begin
    return case when exists (select 1 from comity.agency where id = comity.me() and state = 'suspended')
        then array[comity.me()] else (
        select array_agg(other) from (
            select comity.me() as other
            union select case agency when comity.me() then to_agency else agency end from comity.agreement
                   where (agency = comity.me() or to_agency = comity.me())
                     and valid_from <= current_date + 1 and current_date - 1 <= valid_until
            union select case from_agency when comity.me() then to_agency else from_agency end from comity.offer
                   where (from_agency = comity.me() or to_agency = comity.me()) and not ends
            union select agency from comity.share where to_agency = comity.me() and live
                     and (until is null or until > now())
            union select agency from comity.reported where by_agency = comity.me() and state <> 'open'
        ) reachable) end;
end $$;

create function comity.refuse_second_verdict() returns trigger language plpgsql as $$
begin
    if old.state <> 'open' then
        raise exception 'the report is %', old.state using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger report_judged_once before update on comity.reported
    for each row execute function comity.refuse_second_verdict();

-- As before, and: while the receiver is no member, the offerer records in its own log what the receiver told it.
create or replace function comity.refuse_going_back() returns trigger language plpgsql as $$
begin
    if old.ends and not new.ends or new.state <> old.state and (old.state <> 'offered' or not (
       case when new.state in ('withdrawn', 'expired') then comity.me() = old.from_agency
            else comity.me() = old.to_agency or comity.me() = old.from_agency and exists (
                select 1 from comity.agency a where a.id = old.to_agency and a.membership <> 'member') end)) then
        raise exception 'the offer is %', old.state using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

-- Whether `asked` agreed that an institution which is no member may offer it a type: one word, for whoever reports that
-- institution's acts. Agreements among members stay between the two.
create policy asked_for_outsiders on comity.agreement for select to current_user using (true);
create function comity.agreed_with_outsider(asked text, outsider text, of_type text, day date) returns boolean
language sql stable security definer set search_path = comity, pg_temp as $$
    select exists (select 1 from comity.agreement g join comity.agency a on a.id = g.to_agency and a.membership <> 'member'
                    where g.agency = asked and g.to_agency = outsider and g.spec->'offers' ? of_type
                      and g.valid_from <= day and day <= g.valid_until)
$$;
revoke execute on function comity.agreed_with_outsider(text, text, text, date) from public;
grant execute on function comity.agreed_with_outsider(text, text, text, date) to comity_app;

-- What an outsider asks of the very member that reports it is offered and answered in one log.
alter table comity.offer drop constraint offer_check;
