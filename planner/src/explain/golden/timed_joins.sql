CREATE TABLE orders (
  id BIGINT NOT NULL,
  customer BIGINT,
  amount INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE payments (order_id BIGINT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE shipments (order_id BIGINT, city STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE pairs (id BIGINT, paid INT) WITH ('connector' = 'append');
CREATE VIEW paid AS SELECT o.id, o.ts, p.ts AS paid_at FROM orders o JOIN payments p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '1' HOUR;
CREATE VIEW order_windows AS SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND));
CREATE VIEW payment_windows AS SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '10' SECOND));
SET 'parallelism.default' = '2';
EXPLAIN INSERT INTO pairs SELECT o.id, p.amount FROM orders o LEFT JOIN payments p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '1' HOUR;
EXPLAIN CHANGELOG_MODE SELECT o.id, o.ts, p.ts AS paid_at FROM orders o, payments p WHERE o.id = p.order_id AND o.ts >= p.ts - INTERVAL '5' SECOND AND o.ts < p.ts + INTERVAL '9' SECOND AND o.amount < p.amount;
EXPLAIN CHANGELOG_MODE SELECT o.id, o.ts, p.ts AS paid_at FROM orders o FULL JOIN payments p ON o.ts = p.ts;
EXPLAIN CHANGELOG_MODE SELECT id, ts FROM orders o WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '1' MONTH);
EXPLAIN CHANGELOG_MODE SELECT p.id, s.city FROM paid p JOIN shipments s ON p.id = s.order_id AND s.ts BETWEEN p.paid_at AND p.paid_at + INTERVAL '1' DAY;
EXPLAIN CHANGELOG_MODE SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE paid, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
EXPLAIN CHANGELOG_MODE SELECT o.id, p.amount, o.window_start FROM order_windows o LEFT JOIN payment_windows p ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end;
EXPLAIN CHANGELOG_MODE SELECT o.window_start, o.window_end, COUNT(*) AS n FROM order_windows o JOIN payment_windows p ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end GROUP BY o.window_start, o.window_end;
EXPLAIN CHANGELOG_MODE SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.order_id AND p.ts >= o.ts;
EXPLAIN JOB GRAPH INSERT INTO pairs SELECT o.id, p.amount FROM orders o LEFT JOIN payments p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '1' HOUR;
EXPLAIN JOB GRAPH SELECT o.id, p.amount FROM order_windows o JOIN payment_windows p ON o.id = p.order_id AND o.window_start = p.window_start AND o.window_end = p.window_end;
