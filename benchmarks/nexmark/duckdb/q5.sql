WITH panes AS (
  SELECT auction, time_bucket(INTERVAL 2 SECOND, dateTime) AS pane, count(*) AS num
  FROM bid
  GROUP BY auction, pane
), windows AS (
  SELECT auction, CAST(sum(num) AS BIGINT) AS num, pane - to_seconds(2 * step) AS starttime
  FROM panes, range(5) AS steps(step)
  GROUP BY auction, starttime
)
SELECT auction, num
FROM windows
QUALIFY num = max(num) OVER (PARTITION BY starttime)
