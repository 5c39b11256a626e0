CREATE TABLE orders (id BIGINT, customer STRING, tags ARRAY<STRING>, items ARRAY<ROW<sku STRING, n INT>>, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE carts (id BIGINT NOT NULL, items ARRAY<ROW<sku STRING, n INT>>, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE lines (id BIGINT, n INT, sku STRING, PRIMARY KEY (id, n) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE last_lines (id BIGINT, sku STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
SET 'parallelism.default' = '2';
EXPLAIN CHANGELOG_MODE
SELECT id, sku, ts FROM orders CROSS JOIN UNNEST(items) AS i (sku, n) WHERE n > 1 AND customer = 'x';
EXPLAIN JOB GRAPH
SELECT id, sku, ts FROM orders CROSS JOIN UNNEST(items) AS i (sku, n) WHERE n > 1 AND customer = 'x';
EXPLAIN SELECT COUNT(*) FROM orders, UNNEST(tags) AS t (tag);
EXPLAIN CHANGELOG_MODE
SELECT customer, n, x FROM (SELECT customer, ARRAY[MIN(id), MAX(id)] AS ids FROM orders GROUP BY customer) AS g
LEFT JOIN UNNEST(ids) WITH ORDINALITY AS u (x, n) ON TRUE;
EXPLAIN SELECT id, tag, x FROM orders CROSS JOIN UNNEST(tags) AS t (tag) CROSS JOIN UNNEST(ARRAY[tag, customer]) AS u (x);
EXPLAIN CHANGELOG_MODE INSERT INTO lines SELECT id, n, sku FROM carts CROSS JOIN UNNEST(items) WITH ORDINALITY AS i (sku, pieces, n);
