CREATE TABLE sales (id BIGINT, shop STRING, item STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'stream');
SET 'parallelism.default' = '2';
EXPLAIN CHANGELOG_MODE SELECT shop, item, SUM(amount) AS s, GROUPING(item) AS g FROM sales GROUP BY GROUPING SETS ((shop, item), (shop));
EXPLAIN JOB GRAPH SELECT shop, item, SUM(amount) AS s FROM sales GROUP BY GROUPING SETS ((shop, item), (shop));
EXPLAIN SELECT shop, COUNT(*) AS n FROM sales GROUP BY ROLLUP (shop);
EXPLAIN CHANGELOG_MODE SELECT window_start, item, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE sales, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, CUBE (item, shop);
