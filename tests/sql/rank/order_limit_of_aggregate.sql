-- ORDER BY and LIMIT of an aggregation.
--- use sales
--- sql
SELECT item, COUNT(*) AS n, SUM(amount) AS s FROM sales GROUP BY item ORDER BY n DESC, item LIMIT 2;
--- rows
item | n | s
ink | 4 | 24
pen | 4 | 24
