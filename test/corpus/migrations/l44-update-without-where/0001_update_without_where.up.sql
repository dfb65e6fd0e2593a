-- midflight: phase expand
update orders set state = 'live';
