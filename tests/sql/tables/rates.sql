-- Trades, and rates of currencies over time: a table with a key, the same rows without, and a view of the last of
-- each currency. Both are out of order by up to 4 s, which is less than their watermarks are behind; some trades
-- have no currency or no time. Trades in two times of other precision, and dealers with rates by two columns.
--- file trades.json
{"id": 1, "currency": "EUR", "amount": 10, "ts": "2026-01-01 00:00:01"}
{"id": 2, "currency": "EUR", "amount": 20, "ts": "2026-01-01 00:00:02"}
{"id": 3, "currency": "USD", "amount": 5, "ts": "2026-01-01 00:00:04"}
{"id": 4, "currency": "EUR", "amount": 30, "ts": "2026-01-01 00:00:09"}
{"id": 5, "currency": null, "amount": 7, "ts": "2026-01-01 00:00:06"}
{"id": 6, "currency": "GBP", "amount": 8, "ts": "2026-01-01 00:00:05"}
{"id": 7, "currency": "EUR", "amount": 40, "ts": null}
{"id": 8, "currency": "USD", "amount": 6, "ts": "2026-01-01 00:00:12.250"}
{"id": 9, "currency": "EUR", "amount": 50, "ts": "2026-01-01 00:00:14"}
{"id": 10, "currency": "JPY", "amount": 9, "ts": "2026-01-01 00:00:20"}
{"id": 11, "currency": "EUR", "amount": 60, "ts": "2026-01-01 00:00:30"}
--- file rates.json
{"currency": "EUR", "rate": 110, "since": "2026-01-01 00:00:02"}
{"currency": "USD", "rate": 100, "since": "2026-01-01 00:00:01"}
{"currency": "EUR", "rate": 112, "since": "2026-01-01 00:00:08"}
{"currency": "EUR", "rate": 108, "since": "2026-01-01 00:00:05"}
{"currency": "USD", "rate": 99, "since": "2026-01-01 00:00:12.250"}
{"currency": "CHF", "rate": 90, "since": "2026-01-01 00:00:10"}
{"currency": "EUR", "rate": 120, "since": "2026-01-01 00:00:14.001"}
{"currency": "USD", "rate": 101, "since": "2026-01-01 00:00:12.251"}
{"currency": "JPY", "rate": 2, "since": "2026-01-01 00:00:20"}
{"currency": "EUR", "rate": 115, "since": "2026-01-01 00:00:25"}
--- file quotes.json
{"dealer": "x", "currency": "EUR", "price": 1, "since": "2026-01-01 00:00:01.000500"}
{"dealer": "y", "currency": "EUR", "price": 2, "since": "2026-01-01 00:00:02"}
{"dealer": "x", "currency": "USD", "price": 3, "since": "2026-01-01 00:00:03"}
{"dealer": "x", "currency": "EUR", "price": null, "since": "2026-01-01 00:00:04.000001"}
{"dealer": "y", "currency": "EUR", "price": 4, "since": "2026-01-01 00:00:04"}
{"dealer": "x", "currency": "EUR", "price": 5, "since": null}
--- file asked.json
{"id": 1, "who": "x", "what": "EUR", "ts": "2026-01-01 00:00:01"}
{"id": 2, "who": "x", "what": "EUR", "ts": "2026-01-01 00:00:04"}
{"id": 3, "who": "x", "what": "EUR", "ts": "2026-01-01 00:00:05"}
{"id": 4, "who": "y", "what": "EUR", "ts": "2026-01-01 00:00:04"}
{"id": 5, "who": "x", "what": "USD", "ts": "2026-01-01 00:00:07"}
{"id": 6, "who": "y", "what": "USD", "ts": "2026-01-01 00:00:07"}
{"id": 7, "who": null, "what": "EUR", "ts": "2026-01-01 00:00:07"}
--- sql
CREATE TABLE trades (
  id INT,
  currency STRING,
  amount INT,
  ts TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/trades.json', 'format' = 'json');
CREATE TABLE rates (
  currency STRING NOT NULL,
  rate INT,
  since TIMESTAMP(3),
  WATERMARK FOR since AS since - INTERVAL '6' SECOND,
  PRIMARY KEY (currency) NOT ENFORCED
) WITH ('connector' = 'filesystem', 'path' = '{dir}/rates.json', 'format' = 'json');
CREATE TABLE rate_log (
  currency STRING,
  rate INT,
  since TIMESTAMP(3),
  WATERMARK FOR since AS since - INTERVAL '6' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/rates.json', 'format' = 'json');
CREATE VIEW last_rates AS
SELECT currency, rate, since FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY since DESC) AS rn FROM rate_log
) WHERE rn = 1;
CREATE TABLE quotes (
  dealer STRING NOT NULL,
  currency STRING NOT NULL,
  price INT,
  since TIMESTAMP(6),
  WATERMARK FOR since AS since - INTERVAL '6' SECOND,
  PRIMARY KEY (dealer, currency) NOT ENFORCED
) WITH ('connector' = 'filesystem', 'path' = '{dir}/quotes.json', 'format' = 'json');
CREATE TABLE asked (
  id INT,
  who STRING,
  what STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '6' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/asked.json', 'format' = 'json');
