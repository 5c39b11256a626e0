CREATE TABLE trades (
  id BIGINT NOT NULL,
  currency STRING,
  amount INT,
  other TIMESTAMP(3),
  ts TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE rates (currency STRING, rate INT, unread STRING, since TIMESTAMP(6), WATERMARK FOR since AS since, PRIMARY KEY (currency) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE quotes (currency STRING, price INT, at TIMESTAMP(3), WATERMARK FOR at AS at) WITH ('connector' = 'stream');
CREATE VIEW low AS SELECT rate * 2 AS twice, currency FROM rates WHERE rate < 100;
CREATE VIEW newest AS SELECT currency, price FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY at DESC) AS rn FROM quotes WHERE price > 0) WHERE rn = 1;
CREATE VIEW priced AS SELECT t.id, t.ts, t.currency, t.amount * r.rate AS price FROM trades AS t JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
CREATE TABLE out (id BIGINT, rate INT) WITH ('connector' = 'append');
SET 'parallelism.default' = '2';
SET 'table.exec.state.ttl' = '1 h';
EXPLAIN CHANGELOG_MODE SELECT t.id, r.rate FROM trades AS t JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency WHERE t.amount > 3 AND r.rate <> 7;
EXPLAIN CHANGELOG_MODE SELECT t.ts, t.other, t.pt, r.twice FROM trades AS t LEFT JOIN low FOR SYSTEM_TIME AS OF t.ts AS r ON UPPER(t.currency) = r.currency AND r.twice > t.amount;
EXPLAIN CHANGELOG_MODE SELECT t.id, r.price FROM trades AS t JOIN newest FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
EXPLAIN CHANGELOG_MODE SELECT window_start, SUM(price) AS total FROM TABLE(TUMBLE(TABLE priced, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
EXPLAIN CHANGELOG_MODE SELECT t.id, t.ts, r.rate FROM trades AS t LEFT JOIN rates FOR SYSTEM_TIME AS OF t.pt AS r ON t.currency = r.currency;
EXPLAIN CHANGELOG_MODE SELECT t.id, q.price FROM trades AS t ASOF JOIN quotes AS q MATCH_CONDITION (q.at < t.ts) ON t.currency = q.currency;
EXPLAIN LOGICAL SELECT t.id, q.price FROM trades AS t ASOF JOIN quotes AS q MATCH_CONDITION (t.ts >= q.at);
EXPLAIN JOB GRAPH INSERT INTO out SELECT t.id, r.rate FROM trades AS t JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
