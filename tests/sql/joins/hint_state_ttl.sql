-- STATE_TTL of the inputs of a join and of an aggregation, long enough for all rows.
--- use shop
--- sql
SELECT /*+ STATE_TTL('o' = '1 d', 'c' = '12 h') */ c.region, COUNT(*) AS n, SUM(o.amount) AS total FROM orders AS o JOIN customers AS c ON o.customer = c.customer GROUP BY c.region;
--- rows
region | n | total
north | 4 | 22
south | 1 | 7
NULL | 2 | 14
