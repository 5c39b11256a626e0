-- A log of all bids by day and minute. Here the rows go where those of the other queries go, with the partition
-- that they would be written to.
CREATE TABLE sink (
  auction BIGINT,
  bidder BIGINT,
  price BIGINT,
  bid_time TIMESTAMP(3),
  extra VARCHAR,
  dt VARCHAR,
  hm VARCHAR
) WITH (${sink});

INSERT INTO sink
SELECT
  auction, bidder, price, `dateTime`, extra,
  DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS dt, DATE_FORMAT(`dateTime`, 'HH:mm') AS hm
FROM bid;
