-- midflight: phase expand
refresh materialized view order_counts;
