-- The best partner of each row, or none.
--- use shop
--- sql
SELECT id, name, rn FROM (
  SELECT o.id, c.name, ROW_NUMBER() OVER (PARTITION BY o.id ORDER BY c.name) AS rn
  FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer
) WHERE rn <= 2;
--- rows
id | name | rn
1 | Ada | 1
2 | Ben | 1
3 | Ada | 1
4 | NULL | 1
5 | NULL | 1
6 | Cy | 1
6 | Cy | 2
