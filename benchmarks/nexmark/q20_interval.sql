-- Bids of the first two seconds of their auction, with what it is about.
CREATE TABLE sink (
  auction BIGINT,
  bidder BIGINT,
  price BIGINT,
  bid_time TIMESTAMP(3),
  item_name VARCHAR,
  seller BIGINT,
  category BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT B.auction, B.bidder, B.price, B.`dateTime`, A.itemName, A.seller, A.category
FROM bid AS B JOIN auction AS A
ON B.auction = A.id AND B.`dateTime` BETWEEN A.`dateTime` AND A.`dateTime` + INTERVAL '2' SECOND;
