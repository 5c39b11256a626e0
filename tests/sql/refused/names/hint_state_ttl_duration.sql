-- STATE_TTL with what is no duration.
--- use shop
--- skip batch: a query that ends keeps no state
--- sql
SELECT /*+ STATE_TTL('customers' = 'a day') */ region, COUNT(*) FROM customers GROUP BY region;
--- error streaming
STATE_TTL says for how long the state of an input is kept, and 'a day' is no duration
line 1, column 12
hint: write STATE_TTL('orders' = '1 d', 'payments' = '12 h')
