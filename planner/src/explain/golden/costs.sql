CREATE TABLE bids (
  auction BIGINT,
  bidder BIGINT,
  price BIGINT,
  extra STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE people (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'stream');
CREATE TABLE out1 (auction BIGINT, price BIGINT) WITH ('connector' = 'append');
EXPLAIN ESTIMATED_COST INSERT INTO out1 SELECT auction, price * 2 FROM bids WHERE price > 10 AND extra = 'x';
EXPLAIN ESTIMATED_COST SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction;
EXPLAIN ESTIMATED_COST SELECT COUNT(*) AS n FROM bids;
EXPLAIN ESTIMATED_COST, CHANGELOG_MODE SELECT b.price, p.name FROM bids AS b LEFT JOIN people AS p ON b.bidder = p.id;
EXPLAIN ESTIMATED_COST SELECT a.auction FROM bids AS a JOIN bids AS b ON a.bidder = b.bidder WHERE a.price < b.price;
EXPLAIN ESTIMATED_COST SELECT auction, window_end, MAX(price) AS best
  FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE))
  GROUP BY auction, window_start, window_end;
EXPLAIN ESTIMATED_COST SELECT auction, price FROM (
  SELECT auction, price, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS place FROM bids
) WHERE place <= 3;
EXPLAIN ESTIMATED_COST SELECT auction, COUNT(DISTINCT bidder) AS n FROM bids WHERE extra IS NOT NULL OR NOT price = 3 GROUP BY auction
  UNION ALL SELECT * FROM (VALUES (1, 2), (3, 4), (5, 6));
