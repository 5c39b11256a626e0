-- GROUPING SETS are not supported yet on streams; batch does them.
--- use bids
--- sql
SELECT item, COUNT(*) AS n FROM bids WHERE price > 6 GROUP BY ROLLUP (item);
--- error streaming
LV-1011
ROLLUP
--- rows
item | n
ink | 2
NULL | 1
cup | 1
NULL | 4
