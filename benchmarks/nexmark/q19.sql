-- Top 10 bids: of each auction by price, with their places. Which of several bids of one price comes first is left
-- open; among 20,000 events there are none such.
CREATE TABLE sink (
  auction BIGINT,
  bidder BIGINT,
  price BIGINT,
  channel VARCHAR,
  url VARCHAR,
  `dateTime` TIMESTAMP(3),
  extra VARCHAR,
  rank_number BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT *
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number
  FROM bid
)
WHERE rank_number <= 10;
