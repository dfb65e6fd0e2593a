-- midflight: phase expand
reindex table orders;
