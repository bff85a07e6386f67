-- WHAT FOLLOWS THE LOG: how far each follower has come, what effects owe or have done, and what is counted.

create table comity.follower (
    name text not null,
    agency text not null,
    place bigint not null default 0,
    primary key (name, agency)
);

-- What an effect owes or has done: unique on (follower, entry, target), resumed and never rebuilt. One that failed is due
-- again at `due_at`.
create table comity.outbox (
    follower text not null,
    entry uuid not null,
    target text not null,
    agency text not null,
    state text not null default 'due' check (state in ('due', 'done', 'dead')),
    attempts int not null default 0,
    error text not null default '',
    changed_at timestamptz not null,
    due_at timestamptz not null default '-infinity',
    primary key (follower, entry, target)
);
create index outbox_due on comity.outbox (agency, follower) where state = 'due';
create index outbox_dead on comity.outbox (agency, changed_at) where state = 'dead';
create index outbox_marks on comity.outbox (agency) where state = 'due' and follower = 'marks';
create index outbox_webhooks on comity.outbox (due_at) where state = 'due' and follower = 'webhook';
create index outbox_delivered on comity.outbox (agency, changed_at)
    where state = 'done' and follower in ('notice', 'webhook', 'settle');

-- What views count of an agency's log, by day and by what each statistic says (activity: type, act). It holds no content
-- and can be rebuilt from nothing.
create table comity.tally (
    agency text not null,
    statistic text not null,
    day date not null,
    key text[] not null,
    entries bigint not null,
    primary key (agency, statistic, day, key)
);
