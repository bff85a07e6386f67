-- What views count of an agency's log stands in one table, under the name of the statistic: a new one needs none of its own.
create table comity.tally (
    agency text not null,
    statistic text not null,
    day date not null,
    key text[] not null,
    entries bigint not null,
    primary key (agency, statistic, day, key)
);
insert into comity.tally (agency, statistic, day, key, entries)
select agency, 'activity', day, array[type, act], entries from comity.activity;
drop table comity.activity;
