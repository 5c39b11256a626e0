-- For each seller the average price of the last ten auctions that found a buyer, and the one before: it changes whenever
-- one of the winning bids is overtaken. Flink refuses functions with OVER over rows that change.
-- check-without: flink
CREATE TABLE sink (
  auction BIGINT,
  seller BIGINT,
  average DOUBLE
) WITH (${sink});

INSERT INTO sink
SELECT id, seller, AVG(price) OVER (
  PARTITION BY seller ORDER BY bid_time, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW
)
FROM (
  SELECT A.id, A.seller, B.price, B.`dateTime` AS bid_time,
    ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.`dateTime` ASC) AS rownum
  FROM auction AS A, bid AS B
  WHERE A.id = B.auction AND B.`dateTime` BETWEEN A.`dateTime` AND A.expires
)
WHERE rownum <= 1;
