-- The aggregating half of "highest bid": the maximum price per window.
CREATE TABLE sink (
  maxprice BIGINT,
  `dateTime` TIMESTAMP(3)
) WITH (${sink});

INSERT INTO sink
SELECT MAX(price) AS maxprice, window_end AS `dateTime`
FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
