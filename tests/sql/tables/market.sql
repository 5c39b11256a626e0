-- Tables and a view for statements that are wrong.
--- file bids.json
{"auction": 1, "bidder": 10, "price": 5, "item": "pen", "ts": "2026-01-01 00:00:01"}
{"auction": 2, "bidder": 11, "price": 7, "item": "ink", "ts": "2026-01-01 00:00:04"}
--- file users.json
{"id": 10, "name": "ann", "item": "pen"}
--- sql
CREATE TABLE bids (
  auction BIGINT,
  bidder BIGINT,
  price INT,
  item STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/bids.json', 'format' = 'json');
CREATE TABLE users (id BIGINT, name STRING, item STRING)
WITH ('connector' = 'filesystem', 'path' = '{dir}/users.json', 'format' = 'json');
CREATE TABLE files (auction BIGINT, n BIGINT)
WITH ('connector' = 'filesystem', 'path' = '{dir}/files', 'format' = 'json');
CREATE TABLE keyed (k INT, v STRING, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'print');
CREATE VIEW cheap AS SELECT auction, price FROM bids WHERE price < 5;
