-- A view of a join, joined.
--- use shop
--- sql
CREATE VIEW known AS SELECT o.id, c.name, c.region FROM orders AS o JOIN customers AS c ON o.customer = c.customer;
SELECT k.id, r.head FROM known AS k LEFT JOIN regions AS r ON k.region = r.region WHERE k.id > 2;
--- rows
id | head
3 | Nora
6 | Nora
6 | Nora
6 | NULL
6 | NULL
