-- A match with NEXT may come long after its time.
--- use ticks
--- skip batch: windows over batches need no event time
--- sql
CREATE VIEW hits AS SELECT sym, at, behind FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES MATCH_ROWTIME() AS at, NEXT(A.price) AS behind
  PATTERN (A)
  DEFINE A AS price > 1
);
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE hits, DESCRIPTOR(at), INTERVAL '10' MINUTE)) GROUP BY window_start, window_end;
--- error streaming
LV-1014
MATCH_RECOGNIZE with NEXT no column is a time attribute
