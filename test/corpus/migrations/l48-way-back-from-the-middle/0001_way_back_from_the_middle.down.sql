drop table more_notes;
drop table notes;
