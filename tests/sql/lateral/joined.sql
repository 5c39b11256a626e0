-- Tables joined in the subquery, and another subquery behind it that is about its columns.
--- use shop
--- sql
SELECT o.id, c.name, h.head
FROM orders AS o
CROSS JOIN LATERAL (SELECT name, r.region FROM customers JOIN regions AS r ON customers.region = r.region
                    WHERE customer = o.customer) AS c
LEFT JOIN LATERAL (SELECT head FROM regions WHERE region = c.region AND o.amount > 3) AS h ON TRUE;
--- rows
id | name | head
1 | Ada | Nora
2 | Ben | Sol
3 | Ada | NULL
6 | Cy | Nora
6 | Cy | Nora
