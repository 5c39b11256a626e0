-- A first look: orders arrive from a generator, a tumbling window sums them up each second, and
-- the results stream to the terminal while more orders arrive. It ends by itself after 30 seconds.
--
--   levada sql -f examples/demo.sql

CREATE TABLE orders (
  order_id   BIGINT,
  product    INT,
  amount     INT,
  order_time TIMESTAMP(3),
  WATERMARK FOR order_time AS order_time - INTERVAL '0.5' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1000',
  'number-of-rows' = '30000',
  'fields.order_id.kind' = 'sequence',
  'fields.order_id.start' = '1',
  'fields.order_id.end' = '30000',
  'fields.product.min' = '1',
  'fields.product.max' = '3',
  'fields.amount.min' = '1',
  'fields.amount.max' = '100'
);

SELECT
  window_start,
  product,
  COUNT(*)    AS orders,
  SUM(amount) AS revenue,
  MAX(amount) AS biggest
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(order_time), INTERVAL '1' SECOND))
GROUP BY window_start, window_end, product;
