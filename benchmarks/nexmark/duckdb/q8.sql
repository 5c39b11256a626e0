WITH people AS (
  SELECT DISTINCT id, name, time_bucket(INTERVAL 10 SECOND, dateTime) AS starttime FROM person
), sellers AS (
  SELECT DISTINCT seller, time_bucket(INTERVAL 10 SECOND, dateTime) AS starttime FROM auction
)
SELECT id, name, people.starttime
FROM people JOIN sellers ON id = seller AND people.starttime = sellers.starttime
