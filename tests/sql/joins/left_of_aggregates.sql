-- Rows lose their partners and get others.
--- use shop
--- sql
SELECT t.customer, r.region FROM (SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer) AS t
LEFT JOIN (SELECT region, COUNT(*) AS n FROM customers GROUP BY region HAVING COUNT(*) > 1) AS r ON t.n = r.n;
--- rows
customer | region
10 | north
10 | south
12 | north
12 | south
11 | NULL
NULL | NULL
13 | NULL
