-- An aggregation of early results takes them back.
--- use ticks
--- sql
SET 'table.exec.emit.early-fire.enabled' = 'true';
SELECT n, COUNT(*) AS windows FROM (
  SELECT sym, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) GROUP BY sym, window_start, window_end
) GROUP BY n;
--- rows
n | windows
1 | 3
2 | 1
3 | 1
5 | 4
