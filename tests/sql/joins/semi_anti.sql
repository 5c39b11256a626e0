-- LEFT SEMI JOIN and LEFT ANTI JOIN by their names.
--- use shop
--- sql
SELECT o.id, 'known' AS what FROM orders AS o LEFT SEMI JOIN customers AS c ON o.customer = c.customer AND o.amount > c.least
UNION ALL SELECT o.id, 'not' AS what FROM orders AS o LEFT ANTI JOIN customers AS c ON o.customer = c.customer AND o.amount > c.least;
--- rows
id | what
1 | known
6 | known
6 | known
2 | not
3 | not
4 | not
5 | not
