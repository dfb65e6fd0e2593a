-- midflight: phase expand
truncate accounts cascade;
