SELECT seller, time_bucket(INTERVAL 10 SECOND, dateTime) AS starttime,
  starttime + INTERVAL 10 SECOND AS endtime
FROM auction
GROUP BY seller, starttime
