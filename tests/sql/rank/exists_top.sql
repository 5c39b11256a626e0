-- EXISTS with the number of a row.
--- use shop
--- sql
SELECT o.id FROM orders AS o WHERE EXISTS (
  SELECT 1 FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY region ORDER BY name) AS rn FROM customers) AS c
  WHERE c.customer = o.customer AND c.rn = 1
);
--- rows
id
1
2
3
6
6
