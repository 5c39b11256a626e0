-- Arrays go into a module and come out: of rows with arrays in them, with elements that are NULL, empty and NULL.
--- use baskets
--- module example
--- sql
CREATE FUNCTION items_of(v ARRAY<ROW<sku STRING, n INT, codes ARRAY<INT>>>) RETURNS ARRAY<ROW<sku STRING, n INT, codes ARRAY<INT>>>
LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION codes_of(v ARRAY<INT>) RETURNS ARRAY<INT> LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION tags_of(v ARRAY<STRING>) RETURNS ARRAY<STRING> LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
SELECT b.id, sku, n, CAST(code AS STRING) AS x FROM baskets AS b, LATERAL TABLE(items_of(b.items)) AS i (sku, n, codes), LATERAL TABLE(codes_of(codes)) AS c (code)
UNION ALL SELECT id + 100, sku, n, '-' FROM baskets, LATERAL TABLE(items_of(items)) AS i (sku, n, codes)
UNION ALL SELECT id + 200, tag, CARDINALITY(tags_of(tags)), '+' FROM baskets LEFT JOIN LATERAL TABLE(tags_of(tags)) AS t (tag) ON TRUE;
--- rows
id | sku | n | x
1 | a | 2 | 1
1 | a | 2 | 2
4 | a | 5 | 3
5 | c | NULL | 4
5 | c | NULL | NULL
101 | a | 2 | -
101 | b | 1 | -
104 | a | 5 | -
104 | NULL | NULL | -
104 | NULL | 3 | -
105 | c | NULL | -
201 | red | 2 | +
201 | blue | 2 | +
202 | NULL | 0 | +
203 | NULL | NULL | +
204 | red | 3 | +
204 | NULL | 3 | +
204 | red | 3 | +
205 | green | 1 | +
