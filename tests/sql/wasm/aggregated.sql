-- Aggregates of a module by keys, of one column and of two, with FILTER and DISTINCT; NULLs are seen by the module.
--- use keyed
--- module example
--- sql
CREATE AGGREGATE FUNCTION total(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
CREATE TEMPORARY AGGREGATE FUNCTION products(n BIGINT, m BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'sum_of_products';
SELECT k, total(v) AS t, total(DISTINCT v) AS d, products(v, id) AS p, total(v) FILTER (WHERE id > 1) AS f, total(v) + COUNT(*) AS c
FROM keyed GROUP BY k HAVING total(id) > 1;
--- rows
k | t | d | p | f | c
a | 45 | 45 | 130 | 35 | 48
b | 40 | 20 | 140 | 40 | 42
c | 0 | 0 | 0 | 0 | 1
d | 1 | 1 | 9 | 1 | 2
NULL | 15 | 15 | 113 | 15 | 17
