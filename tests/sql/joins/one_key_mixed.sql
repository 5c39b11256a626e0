-- Some inputs on one key may be missing, and some must not.
--- use shop
--- sql
SELECT o.id, c.name, t.total FROM orders AS o
LEFT JOIN customers AS c ON o.customer = c.customer JOIN (SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer) AS t ON o.customer = t.customer;
--- rows
id | name | total
1 | Ada | 8
2 | Ben | 7
3 | Ada | 8
5 | NULL | NULL
6 | Cy | 14
6 | Cy | 14
6 | Cyn | 14
6 | Cyn | 14
