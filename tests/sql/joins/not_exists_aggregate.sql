-- NOT EXISTS over groups that change.
--- use shop
--- sql
SELECT name FROM customers AS c WHERE NOT EXISTS (
  SELECT 1 FROM (SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer) AS t WHERE t.customer = c.customer AND t.n > 1);
--- rows
name
Ben
Eve
Nil
