-- midflight: phase contract
-- From here on release 1.0 cannot read the instruments any more.

alter table instruments drop column max_deviation_pct;
