CREATE TABLE bids (
  id BIGINT NOT NULL,
  auction BIGINT,
  bidder STRING,
  price INT,
  ts TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE auctions (id BIGINT NOT NULL, seller STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE latest (auction BIGINT, price INT, PRIMARY KEY (auction) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE places (auction BIGINT, place BIGINT, price INT, PRIMARY KEY (auction, place) NOT ENFORCED) WITH ('connector' = 'upsert');
CREATE TABLE firsts (auction BIGINT) WITH ('connector' = 'append');
CREATE VIEW ranked AS SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rn FROM bids;
SET 'parallelism.default' = '2';
EXPLAIN SELECT auction, price FROM ranked WHERE rn <= 3;
EXPLAIN SELECT id, rn FROM ranked WHERE rn BETWEEN 2 AND 3 AND price > 10;
EXPLAIN CHANGELOG_MODE SELECT auction, price FROM ranked WHERE rn <= 3;
EXPLAIN CHANGELOG_MODE SELECT auction, price, rn FROM ranked WHERE rn <= 3;
EXPLAIN CHANGELOG_MODE SELECT id, RANK() OVER (PARTITION BY UPPER(bidder) ORDER BY price, ts DESC NULLS LAST) AS place FROM bids QUALIFY place = 1;
EXPLAIN CHANGELOG_MODE INSERT INTO places SELECT auction, rn, price FROM ranked WHERE rn <= 3;
EXPLAIN CHANGELOG_MODE INSERT INTO latest SELECT auction, price FROM bids QUALIFY ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts DESC) = 1;
EXPLAIN CHANGELOG_MODE INSERT INTO firsts SELECT auction FROM bids QUALIFY ROW_NUMBER() OVER (PARTITION BY auction ORDER BY pt) = 1;
EXPLAIN CHANGELOG_MODE SELECT auction, n FROM (SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction) ORDER BY n DESC, auction LIMIT 10 OFFSET 5;
EXPLAIN CHANGELOG_MODE SELECT id FROM bids LIMIT 3;
EXPLAIN CHANGELOG_MODE SELECT a.id, a.seller, b.price FROM auctions a JOIN ranked b ON a.id = b.auction WHERE b.rn <= 1;
EXPLAIN CHANGELOG_MODE SELECT bidder, COUNT(*) AS n FROM ranked WHERE rn <= 10 GROUP BY bidder;
EXPLAIN CHANGELOG_MODE SELECT id FROM ranked WHERE rn = 1 UNION ALL SELECT rn FROM ranked WHERE rn <= 2;
CREATE VIEW windowed AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND));
EXPLAIN CHANGELOG_MODE SELECT window_time, price, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC) AS rn FROM windowed QUALIFY rn <= 3;
EXPLAIN CHANGELOG_MODE SELECT window_start, bidder, ts FROM windowed QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end, bidder ORDER BY ts DESC) = 1;
EXPLAIN CHANGELOG_MODE SELECT window_start, id FROM windowed QUALIFY ROW_NUMBER() OVER (PARTITION BY window_end ORDER BY pt) <= 2;
EXPLAIN JOB GRAPH INSERT INTO places SELECT auction, rn, price FROM ranked WHERE rn <= 3;
EXPLAIN JOB GRAPH SELECT id FROM bids ORDER BY price LIMIT 3;
