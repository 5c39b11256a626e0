-- LEFT JOIN keeps rows for which a table function of a module gives NULL or no rows.
--- use keyed
--- module example
--- sql
CREATE FUNCTION letters(n BIGINT) RETURNS ARRAY<ROW<n BIGINT, letter STRING>> LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT id, n, letter FROM keyed LEFT JOIN LATERAL TABLE(letters(v - 6)) AS s (n, letter) ON TRUE WHERE id NOT IN (1, 2, 3, 5);
--- rows
id | n | letter
4 | NULL | NULL
6 | NULL | NULL
7 | 1 | a
8 | 1 | a
8 | 2 | b
9 | NULL | NULL
