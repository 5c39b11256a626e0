-- Two inserts into one table within a statement set.
--- use bids
--- sql
CREATE TABLE out_ (what STRING, v BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'csv');
EXECUTE STATEMENT SET BEGIN
  INSERT INTO out_ SELECT 'auction', auction FROM bids WHERE price = 7;
  INSERT INTO out_ SELECT 'bidder', bidder FROM bids WHERE price = 7;
END;
--- rows out_
what | v
auction | 2
auction | 2
bidder | 11
bidder | 12
