-- Over no rows.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (ORDER BY ts) AS s FROM sales WHERE id > 100;
--- rows
id | s

