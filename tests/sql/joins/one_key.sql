-- Three inputs on one key, one of which changes.
--- use shop
--- sql
SELECT o.id, c.name, t.n, t.total FROM orders AS o
JOIN customers AS c ON o.customer = c.customer JOIN (SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer) AS t ON c.customer = t.customer;
--- rows
id | name | n | total
1 | Ada | 2 | 8
2 | Ben | 1 | 7
3 | Ada | 2 | 8
6 | Cy | 2 | 14
6 | Cy | 2 | 14
6 | Cyn | 2 | 14
6 | Cyn | 2 | 14
