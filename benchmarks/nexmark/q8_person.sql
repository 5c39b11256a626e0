-- The left half of "monitor new users": the people who registered in each window.
CREATE TABLE sink (
  id BIGINT,
  name VARCHAR,
  starttime TIMESTAMP(3),
  endtime TIMESTAMP(3)
) WITH (${sink});

INSERT INTO sink
SELECT id, name, window_start AS starttime, window_end AS endtime
FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY id, name, window_start, window_end;
