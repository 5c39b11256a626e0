-- A sum that does not fit is an error, in batch too.
--- use sales
--- sql
SELECT id, SUM(CAST(9000000000000000000 AS BIGINT) + id) OVER (ORDER BY id) AS s FROM sales;
--- error
overflow
