-- A join by the number.
--- use sales
--- sql
SELECT a.id, b.id AS next FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales
) AS a JOIN (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS rn FROM sales
) AS b ON a.shop = b.shop AND b.rn = a.rn + 1 WHERE a.rn <= 2 AND b.rn <= 3;
--- rows
id | next
1 | 7
2 | 8
4 | 1
8 | 12
