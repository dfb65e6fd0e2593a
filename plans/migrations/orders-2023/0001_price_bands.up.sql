-- midflight: phase expand
-- Price bands per instrument and direction, filled from the one limit that release 1.0 knows.
-- Release 1.0 goes on reading instruments.max_deviation_pct; release 2.0 reads price_bands.

create table price_bands (
  inst_id   text primary key references instruments (inst_id),
  lower_pct numeric not null,
  upper_pct numeric not null
);

insert into price_bands (inst_id, lower_pct, upper_pct)
select inst_id, max_deviation_pct, max_deviation_pct from instruments;

grant select on price_bands to gateway;
