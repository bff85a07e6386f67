-- What an agency's definitions in force say are obligations: [{type, link, open, about, owed_by}]. Null for one that was
-- installed before this was kept; its follower says it then. Which link and state mean it is data, so no index knows them.
alter table comity.agency add column owing jsonb;
drop index comity.link_for;
