-- Behind it other joins can stand.
--- use shop
--- sql
SELECT c.name FROM (SELECT customer FROM orders INTERSECT SELECT customer FROM customers) AS b
JOIN customers AS c ON b.customer = c.customer;
--- rows
name
Ada
Ben
Cy
Cyn
