-- A scalar subquery over the first rows.
--- use sales
--- sql
SELECT id, (SELECT MAX(amount) FROM (SELECT amount FROM sales ORDER BY id LIMIT 2)) AS most FROM sales WHERE id < 3;
--- rows
id | most
1 | 7
2 | 7
