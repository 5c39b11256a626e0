-- Counts per 2 s pane first; each pane belongs to five windows.
WITH panes AS (
  SELECT auction, time_bucket(INTERVAL 2 SECOND, dateTime) AS pane, count(*) AS num
  FROM bid
  GROUP BY auction, pane
), windows AS (
  SELECT auction, num, pane - to_seconds(2 * step) AS starttime
  FROM panes, range(5) AS steps(step)
)
SELECT auction, CAST(sum(num) AS BIGINT) AS num, starttime, starttime + INTERVAL 10 SECOND AS endtime
FROM windows
GROUP BY auction, starttime
