-- A join in parentheses.
--- use shop
--- sql
SELECT o.id, c.name, r.head FROM orders AS o
LEFT JOIN (customers AS c JOIN regions AS r ON c.region = r.region) ON o.customer = c.customer;
--- rows
id | name | head
1 | Ada | Nora
2 | Ben | Sol
3 | Ada | Nora
4 | NULL | NULL
5 | NULL | NULL
6 | Cy | Nora
6 | Cy | Nora
