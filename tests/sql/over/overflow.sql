-- A sum that does not fit is an error, and does not wrap around.
--- use keyed
--- sql
SELECT id, SUM(9223372036854775000 + id) OVER (ORDER BY id ROWS 1 PRECEDING) AS s FROM keyed;
--- error
verflow
