-- The first orders of each region, as of a number by region.
--- use shop
--- sql
SELECT r.name, o.id, o.amount
FROM (SELECT DISTINCT customer, name FROM customers) AS r,
     LATERAL (SELECT id, amount FROM orders WHERE customer = r.customer ORDER BY amount DESC, id LIMIT 1) AS o;
--- rows
name | id | amount
Ada | 1 | 5
Ben | 2 | 7
Cy | 6 | 7
Cyn | 6 | 7
