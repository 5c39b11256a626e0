-- Three tables.
--- use shop
--- sql
SELECT o.id, c.name, r.head FROM orders AS o
JOIN customers AS c ON o.customer = c.customer JOIN regions AS r ON c.region = r.region;
--- rows
id | name | head
1 | Ada | Nora
2 | Ben | Sol
3 | Ada | Nora
6 | Cy | Nora
6 | Cy | Nora
