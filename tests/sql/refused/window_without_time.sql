-- A window on a column that is no time attribute.
--- use keyed
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE keyed, DESCRIPTOR(v), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error
LV-10
v
line 1
