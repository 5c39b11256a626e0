CREATE TABLE bids (
  auction BIGINT,
  bidder BIGINT,
  price BIGINT,
  extra STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE out1 (auction BIGINT, price INT) WITH ('connector' = 'append');
EXPLAIN SELECT Auction, price * 2 AS twice FROM bids WHERE price > 10 AND BIDS.bidder IS NOT NULL;
EXPLAIN CHANGELOG_MODE INSERT INTO out1 SELECT auction, price FROM bids WHERE auction % 2 = 0;
EXPLAIN JOB GRAPH SELECT auction FROM bids;
EXPLAIN SELECT 1 AS one;
EXPLAIN JOB GRAPH INSERT INTO out1 VALUES (1, 2), (3, NULL);
