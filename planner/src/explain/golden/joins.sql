CREATE TABLE orders (
  id BIGINT NOT NULL,
  customer BIGINT,
  amount INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE items (order_id BIGINT, price BIGINT, note STRING) WITH ('connector' = 'stream');
CREATE TABLE customers (id BIGINT NOT NULL, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE placed (id BIGINT NOT NULL, customer BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'stream');
CREATE TABLE known (id BIGINT, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE pairs (id BIGINT, price BIGINT) WITH ('connector' = 'append');
SET 'parallelism.default' = '2';
EXPLAIN INSERT INTO pairs SELECT o.id, i.price FROM orders o JOIN items i ON o.id = i.order_id AND o.amount < i.price;
EXPLAIN CHANGELOG_MODE SELECT o.id, i.price FROM orders o LEFT JOIN items i ON o.id = i.order_id;
EXPLAIN CHANGELOG_MODE SELECT o.id, i.price FROM orders o FULL JOIN items i ON o.customer = i.price AND o.amount = 3;
EXPLAIN CHANGELOG_MODE SELECT i.price, c.region FROM items i, customers c, orders o WHERE o.id = i.order_id AND o.customer = c.id;
EXPLAIN CHANGELOG_MODE INSERT INTO known SELECT p.id, c.region FROM placed p LEFT JOIN customers c ON p.customer = c.id;
EXPLAIN CHANGELOG_MODE SELECT a.id, b.id AS other FROM orders a JOIN orders b ON a.amount + 1 = b.customer;
EXPLAIN CHANGELOG_MODE SELECT g.customer, g.n, c.region FROM (SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer) g JOIN customers c ON g.customer = c.id;
EXPLAIN CHANGELOG_MODE SELECT c.region, COUNT(*) AS n FROM orders o JOIN customers c ON o.customer = c.id GROUP BY c.region;
EXPLAIN CHANGELOG_MODE SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id AND i.price > o.amount);
EXPLAIN CHANGELOG_MODE SELECT id FROM orders WHERE customer NOT IN (SELECT order_id FROM items);
EXPLAIN CHANGELOG_MODE SELECT id FROM orders WHERE customer IS NOT NULL AND customer NOT IN (SELECT order_id FROM items WHERE order_id IS NOT NULL);
EXPLAIN CHANGELOG_MODE SELECT o.id, (SELECT COUNT(*) FROM items i WHERE i.order_id = o.id) AS n FROM orders o;
EXPLAIN CHANGELOG_MODE SELECT COUNT(*) AS n FROM orders CROSS JOIN items;
EXPLAIN CHANGELOG_MODE SELECT a.id, b.n FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS a
JOIN (SELECT window_start, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) AS b
ON a.window_start = b.window_start AND a.window_end = b.window_end;
EXPLAIN JOB GRAPH INSERT INTO pairs SELECT o.id, i.price FROM orders o JOIN items i ON o.id = i.order_id AND o.amount < i.price;
EXPLAIN JOB GRAPH SELECT o.id, i.price FROM orders o CROSS JOIN items i;
