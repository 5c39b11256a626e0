-- An aggregate of a module over rows that change: values are taken back.
--- use keyed
--- module example
--- sql
CREATE AGGREGATE FUNCTION total(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT total(n) AS rows_of_keys, total(s) AS s, total(m) FILTER (WHERE n > 100) AS none FROM (SELECT k, COUNT(*) AS n, SUM(v) AS s, MAX(v) AS m FROM keyed GROUP BY k) AS g;
--- rows
rows_of_keys | s | none
9 | 101 | NULL
