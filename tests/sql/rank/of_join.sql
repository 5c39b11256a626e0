-- The best partner of each row.
--- use shop
--- sql
SELECT id, name FROM (
  SELECT o.id, c.name, ROW_NUMBER() OVER (PARTITION BY o.id ORDER BY c.name DESC) AS rn
  FROM orders AS o JOIN customers AS c ON o.customer = c.customer
) WHERE rn <= 1;
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cyn
