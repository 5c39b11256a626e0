-- CROSS JOIN: everything with everything.
--- use shop
--- sql
SELECT o.id, r.head FROM orders AS o CROSS JOIN regions AS r WHERE o.id < 3;
--- rows
id | head
1 | Nora
1 | Sol
2 | Nora
2 | Sol
