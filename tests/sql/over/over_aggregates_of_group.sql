-- Aggregates of aggregates in one SELECT.
--- use sales
--- sql
SELECT item, COUNT(*) AS n, SUM(COUNT(*)) OVER (ORDER BY item) AS running FROM sales GROUP BY item;
--- rows
item | n | running
cup | 3 | 3
ink | 4 | 7
pen | 4 | 11
NULL | 1 | 12
