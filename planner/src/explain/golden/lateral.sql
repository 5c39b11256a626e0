CREATE TABLE cities (name STRING, state STRING, pop BIGINT) WITH ('connector' = 'stream');
CREATE TABLE orders (id BIGINT, customer BIGINT, text STRING) WITH ('connector' = 'stream');
SET 'parallelism.default' = '2';
EXPLAIN CHANGELOG_MODE
SELECT state, name, pop FROM (SELECT DISTINCT state FROM cities) AS states,
LATERAL (SELECT name, pop FROM cities WHERE state = states.state ORDER BY pop DESC LIMIT 3);
EXPLAIN SELECT c.name, o.n FROM cities AS c CROSS JOIN LATERAL (SELECT COUNT(*) AS n FROM orders WHERE customer = c.pop) AS o;
EXPLAIN SELECT name, x.more FROM cities, LATERAL (SELECT pop + 1 AS more) AS x;
EXPLAIN SELECT id, word FROM orders LEFT JOIN LATERAL TABLE(SPLIT(text, ' ')) AS w (word) ON TRUE;
