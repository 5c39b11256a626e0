-- NOT IN over groups that come and go.
--- use shop
--- sql
SELECT name FROM customers WHERE customer NOT IN (SELECT customer FROM orders WHERE customer IS NOT NULL GROUP BY customer HAVING COUNT(*) > 1);
--- rows
name
Ben
Eve
