-- How far moments of processing time are apart says nothing that could be computed again.
--- use sales
--- skip batch: batch does it
--- sql
SELECT id, COUNT(*) OVER (ORDER BY PROCTIME() RANGE INTERVAL '1' MINUTE PRECEDING) AS n FROM sales;
--- error streaming
LV-1011
in processing time
line 1, column 12
event time
