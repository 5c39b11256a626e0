-- Rows of a Top-N trade their numbers, so they cannot be written with these by a key of their own unless they are kept.
--- use bids
--- skip batch: what comes first is that there is no broker
--- sql
SET 'table.exec.sink.upsert-materialize' = 'none';
CREATE TABLE places (auction BIGINT, n BIGINT, place BIGINT, PRIMARY KEY (auction) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'places', 'properties.bootstrap.servers' = '127.0.0.1:1',
  'key.format' = 'json', 'value.format' = 'json');
INSERT INTO places SELECT auction, n, place FROM (
  SELECT auction, n, ROW_NUMBER() OVER (ORDER BY n DESC, auction) AS place
  FROM (SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction)
) WHERE place <= 3;
--- error streaming
LV-1011
by PRIMARY KEY (auction)
'table.exec.sink.upsert-materialize' = 'auto'
line 5
