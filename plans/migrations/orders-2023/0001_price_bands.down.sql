-- Release 1.0 never read the bands: instruments.max_deviation_pct is still there.

drop table price_bands;
