-- Texts that are the same number are one group.
--- use shop
--- sql
SELECT o.id, t.n FROM orders AS o CROSS JOIN LATERAL (
  SELECT COUNT(*) AS n FROM (VALUES ('1'), ('01'), ('2')) AS v (x) WHERE CAST(x AS INT) = o.id) AS t WHERE o.id < 4;
--- rows
id | n
1 | 2
2 | 1
3 | 0
