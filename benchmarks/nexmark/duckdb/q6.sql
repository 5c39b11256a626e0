SELECT id, seller, avg(price) OVER (
  PARTITION BY seller ORDER BY bid_time, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW
) AS average
FROM (
  SELECT A.id, A.seller, B.price, B.dateTime AS bid_time
  FROM auction AS A JOIN bid AS B ON A.id = B.auction
  WHERE B.dateTime BETWEEN A.dateTime AND A.expires
  QUALIFY row_number() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.dateTime) <= 1
)
