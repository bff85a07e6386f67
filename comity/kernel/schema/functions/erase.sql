-- Erasure under an order: the order's own entry must stand in the same agency's log and refer to the erased entry.
-- The remaining content is given by the caller (what is not among the commitments is found by ledger/verify); null:
-- all. What was copied from the erased items goes with them: the answer and the grounds of an offer, an emergency's
-- words, a file's name and key (what is stored of it is noise then), a one-time code's name, the digest of a
-- request under a key, a claim's ties. The record's own row is written anew by the caller, in the same transaction.
create or replace function comity.erase(erased uuid, by_order uuid, remaining bytea, remaining_salts bytea) returns void
language plpgsql security definer set search_path = comity, pg_temp as $$
declare
    e comity.entry;
    before jsonb;
    kept jsonb := coalesce(convert_from(remaining, 'UTF8')::jsonb, '{}');
begin
    if not exists (select 1 from comity.entry
                    where id = by_order and agency = comity.me() and kind = 'erase' and refers = erased) then
        raise exception 'an erasure needs its order in the log' using errcode = 'insufficient_privilege';
    end if;
    select * into e from comity.entry where id = erased and agency = comity.me();
    select convert_from(content, 'UTF8')::jsonb into before from comity.entry_content
     where entry = erased and agency = comity.me();
    perform set_config('comity.erasing', erased::text, true);
    if remaining is null then
        delete from comity.entry_content where entry = erased and agency = comity.me();
    else
        update comity.entry_content set content = remaining, salts = remaining_salts
         where entry = erased and agency = comity.me();
    end if;
    perform set_config('comity.erasing', '', true);
    if e.id is null then
        return;
    end if;
    update comity.idempotency set digest = '' where entry = erased and agency = comity.me();
    update comity.offer set answer = coalesce((
        select jsonb_object_agg(a.key, a.value) from jsonb_each(answer) a
         where kept ? ('answer/' || a.key) or a.key = 'reason' and kept ? 'reason'), '{}')
     where answer_entry = erased;
    update comity.share s set ground = '' from comity.offer o
     where s.offer = o.id and o.offer_entry = erased and s.agency = comity.me() and not kept ? ('share/' || s.record);
    update comity.file set name = '', media_type = '', size = 0, digest = '', data_key = ''
     where record = e.record and agency = comity.me() and before ? ('file/' || id) and not kept ? ('file/' || id);
    if e.type = 'kernel.emergency' and not kept ? 'reason' and before ? 'reason' then
        update comity.share s set ground = '' from comity.emergency m
         where m.id = e.record and s.basis = 'emergency' and s.to_agency = comity.me()
           and (s.record, s.to_member, s.until) = (m.record, m.member, m.until);
        update comity.emergency set reason = '' where id = e.record and agency = comity.me();
    end if;
    if e.type = 'kernel.emergency' and not kept ? 'set/finding' and before ? 'set/finding' then
        update comity.emergency set finding = '' where id = e.record and owner = comity.me();
    end if;
    if e.type = 'kernel.member' and not kept ? 'set/name' and before ? 'set/name' then
        update comity.invitation set name = '' where agency = comity.me() and name = before->>'set/name';
        update comity.member set name = id::text
         where id = e.record and agency = comity.me() and name = before->>'set/name';
    end if;
    delete from comity.tie where claim = e.record and agency = comity.me() and exists (
        select 1 from jsonb_object_keys(before) path where path like 'link/%' and not kept ? path);
end $$;

revoke execute on function comity.erase from public;
grant execute on function comity.erase to comity_app;
