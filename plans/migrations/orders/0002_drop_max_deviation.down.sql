-- Release 1.0 has one limit for both directions. The wider one refuses no order that a band allows.

alter table instruments add column max_deviation_pct numeric;

-- midflight: allow ddl-after-exclusive-lock because instruments has one row for each listing, a few hundred in all
update instruments i set max_deviation_pct = greatest(b.lower_pct, b.upper_pct) from price_bands b where b.inst_id = i.inst_id;

-- midflight: allow set-not-null-scan because a few hundred rows are read in less than a millisecond
alter table instruments alter column max_deviation_pct set not null;
