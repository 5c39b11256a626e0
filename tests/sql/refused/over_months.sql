-- Months are not all as long.
--- use sales
--- skip batch: batch does it
--- sql
SELECT id, SUM(amount) OVER (ORDER BY ts RANGE INTERVAL '1' MONTH PRECEDING) AS s FROM sales;
--- error streaming
LV-1011
months or years
line 1, column 12
in days
