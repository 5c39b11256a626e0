SELECT id, name, time_bucket(INTERVAL 10 SECOND, dateTime) AS starttime,
  starttime + INTERVAL 10 SECOND AS endtime
FROM person
GROUP BY id, name, starttime
