WITH highest AS (
  SELECT max(price) AS maxprice, time_bucket(INTERVAL 10 SECOND, dateTime) + INTERVAL 10 SECOND AS w
  FROM bid
  GROUP BY w
)
SELECT auction, bidder, price, dateTime, extra
FROM bid JOIN highest ON price = maxprice
WHERE dateTime BETWEEN w - INTERVAL 10 SECOND AND w
