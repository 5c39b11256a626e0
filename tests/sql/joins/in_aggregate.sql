-- IN over groups that come and go.
--- use shop
--- sql
SELECT name FROM customers WHERE customer IN (SELECT customer FROM orders GROUP BY customer HAVING COUNT(*) = 1);
--- rows
name
Ben
