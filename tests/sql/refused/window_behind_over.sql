-- Behind values that are corrected there is no event time.
--- use sales
--- skip batch: batch does it
--- sql
CREATE VIEW v AS SELECT *, COUNT(*) OVER (PARTITION BY shop) AS n FROM sales;
SELECT window_start, SUM(n) AS n FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
--- error streaming
LV-1014
behind functions with OVER
no function looks ahead
line
