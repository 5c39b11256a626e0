CREATE TABLE bids (auction BIGINT, bidder BIGINT, price INT, item STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'stream');
CREATE FUNCTION net(price INT) RETURNS DOUBLE RETURN price / 1.19;
EXPLAIN CHANGELOG_MODE SELECT auction, LISTAGG(item) AS items, COLLECT(item) AS counts, FIRST_VALUE(price) AS f, STDDEV_POP(price) AS s FROM bids GROUP BY auction;
EXPLAIN CHANGELOG_MODE SELECT n, LAST_VALUE(auction) AS l, COUNT(DISTINCT auction, n) AS pairs FROM (SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction) GROUP BY n;
EXPLAIN CHANGELOG_MODE SELECT window_start, PERCENTILE(net(price), 0.5) AS m FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
