-- Four inputs on one key, with a condition above them.
--- use shop
--- sql
SELECT o.id, p.id AS other, c.name, d.name AS namesake FROM orders AS o
JOIN orders AS p ON o.customer = p.customer JOIN customers AS c ON p.customer = c.customer
LEFT JOIN customers AS d ON o.customer = d.customer
WHERE o.amount <= p.amount;
--- rows
id | other | name | namesake
1 | 1 | Ada | Ada
2 | 2 | Ben | Ben
3 | 1 | Ada | Ada
3 | 3 | Ada | Ada
6 | 6 | Cy | Cy
6 | 6 | Cy | Cy
6 | 6 | Cy | Cy
6 | 6 | Cy | Cy
6 | 6 | Cy | Cyn
6 | 6 | Cy | Cyn
6 | 6 | Cy | Cyn
6 | 6 | Cy | Cyn
6 | 6 | Cyn | Cy
6 | 6 | Cyn | Cy
6 | 6 | Cyn | Cy
6 | 6 | Cyn | Cy
6 | 6 | Cyn | Cyn
6 | 6 | Cyn | Cyn
6 | 6 | Cyn | Cyn
6 | 6 | Cyn | Cyn
