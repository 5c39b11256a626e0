-- IS NOT DISTINCT FROM beside an equality.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.customer IS NOT DISTINCT FROM c.customer AND o.amount = c.least;
--- rows
id | name
6 | Cyn
6 | Cyn
