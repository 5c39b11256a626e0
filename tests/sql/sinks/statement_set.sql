-- Several inserts as one job over one source.
--- use bids
--- sql
CREATE TABLE pens (bidder BIGINT, price INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/pens', 'format' = 'csv');
CREATE TABLE per_window (w TIMESTAMP(3), n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/windows', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
  INSERT INTO pens SELECT bidder, price FROM bids WHERE item = 'pen';
  INSERT INTO per_window SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
END;
--- rows pens
bidder | price
10 | 5
11 | 3
12 | 1
--- rows per_window
w | n
2026-01-01 00:00:00 | 8
2026-01-01 00:00:20 | 2
