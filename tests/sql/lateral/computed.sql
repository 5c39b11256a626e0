-- What the subquery computes of both sides; where LEFT JOIN finds nothing it is NULL.
--- use shop
--- sql
SELECT c.name, o.label, o.over
FROM customers AS c LEFT JOIN LATERAL (
  SELECT c.name || CAST(id AS STRING) AS label, amount - c.least AS over FROM orders WHERE customer = c.customer) AS o ON TRUE;
--- rows
name | label | over
Ada | Ada1 | 1
Ada | Ada3 | -1
Ben | Ben2 | -1
Cy | Cy6 | 6
Cy | Cy6 | 6
Cyn | Cyn6 | 0
Cyn | Cyn6 | 0
Eve | NULL | NULL
Nil | NULL | NULL
