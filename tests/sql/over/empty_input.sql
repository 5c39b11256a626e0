-- Of no rows there are none.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS s, NTILE(2) OVER (ORDER BY id) AS t FROM sales WHERE id > 100;
--- rows
id | s | t
