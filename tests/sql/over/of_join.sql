-- Values with OVER of a join whose rows change.
--- use shop
--- sql
SELECT o.id, c.name, COUNT(*) OVER (PARTITION BY o.customer ORDER BY o.id) AS n, LAG(c.name) OVER (ORDER BY o.id, c.name) AS before
FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer WHERE o.id < 6;
--- rows
id | name | n | before
4 | NULL | 1 | Ada
1 | Ada | 1 | NULL
3 | Ada | 2 | Ben
2 | Ben | 1 | Ada
5 | NULL | 1 | NULL
