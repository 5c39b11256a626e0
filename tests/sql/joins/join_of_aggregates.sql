-- Both sides change, by what they are joined on.
--- use shop
--- sql
SELECT t.customer, r.region FROM (SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer) AS t
JOIN (SELECT region, COUNT(*) AS n FROM customers GROUP BY region) AS r ON t.n = r.n;
--- rows
customer | region
10 | north
10 | south
12 | north
12 | south
11 | NULL
11 | west
NULL | NULL
NULL | west
13 | NULL
13 | west
