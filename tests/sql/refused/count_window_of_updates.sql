-- Rows that change cannot be counted.
--- use ticks
--- skip batch: batch has no updates
--- sql
CREATE VIEW totals AS SELECT sym, SUM(price) AS s FROM ticks GROUP BY sym;
SELECT * FROM TABLE(COUNT_TUMBLE(TABLE totals, SIZE => 2));
--- error streaming
LV-
windows of so many rows
