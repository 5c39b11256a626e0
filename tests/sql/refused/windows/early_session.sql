-- Early results of sessions.
--- use ticks
--- skip batch: batch gives final results alone
--- sql
SET 'table.exec.emit.early-fire.enabled' = 'true';
SELECT sym, COUNT(*) AS n FROM TABLE(SESSION(TABLE ticks PARTITION BY sym, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) GROUP BY sym, window_start, window_end;
--- error streaming
LV-1011
early results of SESSION windows
