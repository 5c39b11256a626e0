-- With GROUP BY there is a row for each group, and none where there are no rows.
--- use shop
--- sql
SELECT c.name, o.amount, o.n
FROM customers AS c CROSS JOIN LATERAL (
  SELECT amount, COUNT(*) AS n FROM orders AS i WHERE i.customer = c.customer GROUP BY amount HAVING amount > 3) AS o;
--- rows
name | amount | n
Ada | 5 | 1
Ben | 7 | 1
Cy | 7 | 2
Cyn | 7 | 2
