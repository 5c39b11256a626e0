-- An outer join takes rows back that have no key.
--- use shop
--- sql
CREATE VIEW named AS SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer;
CREATE VIEW log AS SELECT * FROM TO_CHANGELOG(input => TABLE named);
SELECT * FROM FROM_CHANGELOG(input => TABLE log);
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
4 | NULL
5 | NULL
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
