-- Average price by category: of the winning bids of auctions. The average is cast because AVG of an
-- integer is an integer in some systems and a DOUBLE in others.
CREATE TABLE sink (
  id BIGINT,
  price BIGINT,
  PRIMARY KEY (id) NOT ENFORCED
) WITH (${sink});

INSERT INTO sink
SELECT Q.category AS id, CAST(AVG(Q.winning) AS BIGINT) AS price
FROM (
  SELECT MAX(B.price) AS winning, A.category
  FROM auction AS A JOIN bid AS B ON A.id = B.auction
  WHERE B.`dateTime` BETWEEN A.`dateTime` AND A.expires
  GROUP BY A.id, A.category
) AS Q
GROUP BY Q.category;
