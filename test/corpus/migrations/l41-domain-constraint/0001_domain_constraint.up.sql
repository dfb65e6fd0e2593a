-- midflight: phase expand
alter domain price add constraint positive check (value > 0) not valid;
