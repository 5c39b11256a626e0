SELECT category AS id, CAST(trunc(avg(winning)) AS BIGINT) AS price
FROM (
  SELECT max(B.price) AS winning, A.category
  FROM auction AS A JOIN bid AS B ON A.id = B.auction
  WHERE B.dateTime BETWEEN A.dateTime AND A.expires
  GROUP BY A.id, A.category
)
GROUP BY category
