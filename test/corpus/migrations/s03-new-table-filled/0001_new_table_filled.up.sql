-- midflight: phase expand
create table bands (
  id       bigserial primary key,
  uid      text not null unique references accounts (uid),
  lower_px numeric not null check (lower_px > 0)
);
create index bands_lower on bands (lower_px);
insert into bands (uid, lower_px) select uid, 1 from accounts;
grant select on bands to gateway;
