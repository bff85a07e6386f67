-- Every role may know which schema it speaks to; the owner alone writes it.
grant select on comity.schema_state to comity_app, comity_sequencer;
