-- Bounded side input: each bid with what a file says of its auction. The file is loaded before the first bid is
-- answered. Flink has no lookups in files.
-- check-without: flink
CREATE TABLE sink (
  auction BIGINT,
  bidder BIGINT,
  price BIGINT,
  `dateTime` TIMESTAMP(3),
  `value` VARCHAR
) WITH (${sink});

CREATE TABLE side_input (
  key BIGINT,
  `value` VARCHAR
) WITH (
  'connector' = 'filesystem',
  'path' = '${suite}/side_input.csv',
  'format' = 'csv',
  'lookup.cache' = 'FULL'
);

CREATE VIEW timed_bid AS
SELECT *, PROCTIME() AS p_time
FROM bid;

INSERT INTO sink
SELECT B.auction, B.bidder, B.price, B.`dateTime`, S.`value`
FROM timed_bid AS B
JOIN side_input FOR SYSTEM_TIME AS OF B.p_time AS S ON MOD(B.auction, 10000) = S.key;
