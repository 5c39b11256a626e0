-- Three tables in an order in which the first two have nothing in common.
--- use shop
--- sql
SELECT o.id, c.name, r.head FROM orders AS o, regions AS r, customers AS c
WHERE o.customer = c.customer AND c.region = r.region;
--- rows
id | name | head
1 | Ada | Nora
2 | Ben | Sol
3 | Ada | Nora
6 | Cy | Nora
6 | Cy | Nora
