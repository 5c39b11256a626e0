-- Processing-time windows: how many bids a bidder makes in each 10 s of wall-clock time. What falls
-- into which window depends on the run, so only the total can be compared, and not with Flink, which
-- ends bounded input without firing processing-time windows.
-- check: total bid_count
-- check-without: flink
CREATE TABLE sink (
  bidder BIGINT,
  bid_count BIGINT,
  starttime TIMESTAMP(3),
  endtime TIMESTAMP(3)
) WITH (${sink});

CREATE VIEW timed_bid AS
SELECT bidder, PROCTIME() AS p_time
FROM bid;

INSERT INTO sink
SELECT bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM TABLE(TUMBLE(TABLE timed_bid, DESCRIPTOR(p_time), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end;
