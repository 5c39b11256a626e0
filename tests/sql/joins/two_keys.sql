-- Two equalities.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer AND o.amount = c.least;
--- rows
id | name
1 | NULL
2 | NULL
3 | NULL
4 | NULL
5 | NULL
6 | Cyn
6 | Cyn
