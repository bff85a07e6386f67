-- WHO MAY, second lock. An agency reaches its own rows and those of agencies with a live agreement, offer or share.

-- In plpgsql and always as its owner, so that a session keeps its plan: as a plain SQL function it was planned anew for
-- each statement under the policy, which took longer than the statement. It sees no more than comity.me() may.
create function comity.reach() returns text[] language plpgsql stable security definer
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
        ) reachable) end;
end $$;

-- The first statement of every transaction: says for whom it acts and brings what every step needs, in one round trip.
create function comity.begin(for_agency text, for_member uuid)
returns table (epoch bigint, agency_state text, agency_version int, member_state text, member_name text, roles text[])
language plpgsql as $$
begin
    perform set_config('comity.agency', for_agency, true);
    return query
    select e.n, a.state, a.version, m.state, m.name, m.roles
      from comity.epoch e left join comity.agency a on a.id = for_agency
      left join comity.member m on m.id = for_member and m.agency = for_agency;
end $$;

-- Who bears a token, and whether that member and the agency are active, in one round trip.
create function comity.bearer(of_hash bytea)
returns table (agency text, member uuid, expires_at timestamptz, revoked_at timestamptz, agency_state text,
    agency_version int, member_state text, member_name text, roles text[])
language plpgsql as $$
declare
    held comity.token;
begin
    perform set_config('comity.token', encode(of_hash, 'hex'), true);
    select * into held from comity.token t where t.hash = of_hash;
    if not found then
        return;
    end if;
    perform set_config('comity.agency', held.agency, true);
    return query
    select held.agency, held.member, held.expires_at, held.revoked_at, a.state, a.version, m.state, m.name, m.roles
      from (select) one left join comity.agency a on a.id = held.agency
      left join comity.member m on m.id = held.member and m.agency = held.agency;
end $$;

-- Reserves a block of numbers in a transaction of its own, in one round trip; answers the first of them.
create function comity.reserve(for_agency text, of_key text, size bigint, at timestamptz) returns bigint
language plpgsql as $$
declare
    begins bigint;
begin
    perform set_config('comity.agency', for_agency, true);
    perform set_config('synchronous_commit', 'off', true);
    insert into comity.counter as c (agency, key, next) values (for_agency, of_key, size + 1)
    on conflict (agency, key) do update set next = c.next + size returning c.next - size into begins;
    insert into comity.number_block (agency, key, first, last, reserved_at)
    values (for_agency, of_key, begins, begins + size - 1, at);
    return begins;
end $$;

do $$
declare
    t text;
begin
    -- read within reach, write one's own
    foreach t in array array['entry', 'entry_content', 'sequence', 'record', 'link', 'term', 'file'] loop
        execute format('create policy reach on comity.%I for select using (agency = any ((select comity.reach())::text[]))', t);
        execute format('create policy own_insert on comity.%I for insert with check (agency = comity.me())', t);
        execute format('create policy own_update on comity.%I for update using (agency = comity.me()) with check (agency = comity.me())', t);
        execute format('create policy own_delete on comity.%I for delete using (agency = comity.me())', t);
    end loop;
    -- one's own only
    foreach t in array array['member', 'counter', 'number_block', 'idempotency', 'follower', 'outbox', 'pending', 'activity'] loop
        execute format('create policy own on comity.%I using (agency = comity.me()) with check (agency = comity.me())', t);
    end loop;
    foreach t in array array['entry', 'entry_content', 'sequence', 'record', 'link', 'term', 'file', 'member',
        'counter', 'number_block', 'idempotency', 'follower', 'outbox', 'pending', 'agreement', 'offer', 'share',
        'emergency', 'token', 'invitation', 'disclosure', 'collision_key', 'pointer', 'activity'] loop
        execute format('alter table comity.%I enable row level security', t);
        execute format('alter table comity.%I force row level security', t);
    end loop;
end $$;

-- The directory is read by all; an agency's row and layers are written in its own name, suspension in the node's.
alter table comity.agency enable row level security;
alter table comity.agency force row level security;
alter table comity.layer enable row level security;
alter table comity.layer force row level security;
create policy directory on comity.agency for select using (true);
create policy own_insert on comity.agency for insert with check (id = comity.me());
create policy own_update on comity.agency for update using (id = comity.me() or comity.me() = 'node');
create policy directory on comity.layer for select using (true);
create policy own_insert on comity.layer for insert with check (agency = comity.me());
-- Not silence but the trigger answers the owner of the tables who would change a layer.
create policy trigger_refuses on comity.layer for update using (true);
create policy trigger_refuses_too on comity.layer for delete using (true);

create policy both_see on comity.agreement for select using (agency = comity.me() or to_agency = comity.me());
create policy grantor_writes on comity.agreement using (agency = comity.me()) with check (agency = comity.me());

create policy both_see on comity.offer for select using (from_agency = comity.me() or to_agency = comity.me());
create policy offerer_offers on comity.offer for insert with check (from_agency = comity.me());
create policy both_move on comity.offer for update using (from_agency = comity.me() or to_agency = comity.me())
    with check (from_agency = comity.me() or to_agency = comity.me());

-- The receiver answers, the offerer withdraws or lets expire; what was answered stays answered, what has ended, ended.
create function comity.refuse_going_back() returns trigger language plpgsql as $$
begin
    if old.ends and not new.ends or new.state <> old.state and (old.state <> 'offered'
       or comity.me() <> case when new.state in ('withdrawn', 'expired') then old.from_agency else old.to_agency end) then
        raise exception 'the offer is %', old.state using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger offer_moves_on before update on comity.offer for each row execute function comity.refuse_going_back();

create policy both_see on comity.share for select using (agency = comity.me() or to_agency = comity.me());
create policy owner_shares on comity.share for insert with check (agency = comity.me());
-- In an emergency the reader opens another's record to one member, for a time, where the owner agreed to that type.
create policy emergency_opens on comity.share for insert with check (
    to_agency = comity.me() and to_member is not null and basis = 'emergency' and offer is null
    and until is not null and until <= now() + interval '25 hours'
    and exists (select 1 from comity.agreement a join comity.record r on r.id = share.record and r.agency = a.agency
                 where a.agency = share.agency and a.to_agency = comity.me() and a.spec->'emergency' ? r.core_type));
create policy both_end on comity.share for update using (agency = comity.me() or to_agency = comity.me())
    with check (agency = comity.me() or (to_agency = comity.me() and not live));

create policy reader_and_owner on comity.emergency for select using (agency = comity.me() or owner = comity.me());
create policy reader_opens on comity.emergency for insert with check (agency = comity.me());
create policy owner_reviews on comity.emergency for update using (owner = comity.me()) with check (owner = comity.me());

create policy bearer on comity.token for select
    using (agency = comity.me() or encode(hash, 'hex') = current_setting('comity.token', true));
create policy own_write on comity.token using (agency = comity.me()) with check (agency = comity.me());
create policy bearer on comity.invitation for select
    using (agency = comity.me() or encode(hash, 'hex') = current_setting('comity.token', true));
create policy own_write on comity.invitation using (agency = comity.me()) with check (agency = comity.me());

create policy reader_and_owner on comity.disclosure for select using (agency = comity.me() or owner = comity.me());
create policy reader_writes on comity.disclosure for insert with check (agency = comity.me());

create policy own on comity.pointer for select using (agency = comity.me());
-- The one function that compares digests across agencies runs as the owner of the tables; the app role may not read them.
create policy matcher on comity.collision_key to current_user using (true) with check (true);
create policy matcher on comity.pointer to current_user using (true) with check (true);

create policy sequencer_drains on comity.pending to comity_sequencer using (true) with check (false);
create policy sequencer_places on comity.sequence to comity_sequencer using (true) with check (true);

-- Agency, epoch and layer are the node's public directory: titles, definitions, no record.
grant select on comity.agency, comity.epoch, comity.layer to comity_app;
grant insert on comity.agency, comity.layer to comity_app;
grant update on comity.agency, comity.epoch to comity_app;
grant select, insert on comity.entry, comity.entry_content, comity.disclosure, comity.invitation, comity.token,
    comity.emergency, comity.number_block to comity_app;
grant select, insert, update on comity.record, comity.member, comity.counter, comity.follower,
    comity.outbox, comity.file to comity_app;
grant select, insert, update, delete on comity.link, comity.term, comity.agreement, comity.activity to comity_app;
grant select, insert on comity.idempotency to comity_app;
grant select, insert on comity.offer, comity.share to comity_app;
grant update (state, ends, seen_at, answered_at, answer_entry, settled_entry, answer) on comity.offer to comity_app;
grant update (live) on comity.share to comity_app;
grant insert on comity.pending to comity_app;
grant select on comity.sequence, comity.pointer to comity_app;
grant update (revoked_at) on comity.token to comity_app;
grant update (used_at) on comity.invitation to comity_app;
grant update (reviewed_at, reviewed_by, finding) on comity.emergency to comity_app;
grant execute on all functions in schema comity to comity_app;
revoke execute on function comity.refuse_change() from public;

grant select, delete on comity.pending to comity_sequencer;
grant select, insert on comity.sequence to comity_sequencer;

-- How far the sequencer is behind, without showing whose entries wait.
create function comity.lag() returns table (pending bigint, oldest_seconds double precision)
language sql security definer set search_path = comity, pg_temp as $$
    select count(*), coalesce(extract(epoch from now() - min(appended_at)), 0) from comity.pending
$$;
grant execute on function comity.lag() to comity_app;
create policy counts on comity.pending for select to current_user using (true);
