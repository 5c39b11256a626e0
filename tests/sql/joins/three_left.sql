-- A LEFT JOIN behind a LEFT JOIN.
--- use shop
--- sql
SELECT o.id, c.name, r.head FROM orders AS o
LEFT JOIN customers AS c ON o.customer = c.customer LEFT JOIN regions AS r ON c.region = r.region;
--- rows
id | name | head
1 | Ada | Nora
2 | Ben | Sol
3 | Ada | Nora
4 | NULL | NULL
5 | NULL | NULL
6 | Cy | Nora
6 | Cy | Nora
6 | Cyn | NULL
6 | Cyn | NULL
