-- An aggregate over a condition that does not compare for equality.
--- use shop
--- sql
SELECT c.name, o.n FROM customers AS c CROSS JOIN LATERAL (SELECT COUNT(*) AS n FROM orders WHERE amount > c.least) AS o;
--- error
LV-1011
aggregate over a condition that is not an equality
line 1, column
