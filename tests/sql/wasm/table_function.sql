-- Table functions of a module: of numbers, and of rows; NULL and empty arrays have no rows.
--- use keyed
--- module example
--- sql
CREATE FUNCTION series(n BIGINT) RETURNS ARRAY<BIGINT> LANGUAGE WASM USING MODULE '{dir}/example.wasm';
CREATE FUNCTION letters(n BIGINT) RETURNS ARRAY<ROW<n BIGINT, letter STRING>> LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT id, n, '-' AS letter FROM keyed, LATERAL TABLE(series(id - 6)) AS s (n)
UNION ALL SELECT id + 100, n, letter FROM keyed CROSS JOIN LATERAL TABLE(letters(v - 6)) AS s (n, letter) WHERE id NOT IN (1, 2, 3, 5)
UNION ALL SELECT 200, n, letter FROM UNNEST(letters(2)) AS s (n, letter);
--- rows
id | n | letter
7 | 1 | -
8 | 1 | -
8 | 2 | -
9 | 1 | -
9 | 2 | -
9 | 3 | -
107 | 1 | a
108 | 1 | a
108 | 2 | b
200 | 1 | a
200 | 2 | b
