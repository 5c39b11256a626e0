-- Times of columns in the session's zone, on both sides of the changes to and from summer time.
--- file t.json
{"id": 1, "ms": 1711846800000, "s": "2024-03-31 02:30:00"}
{"id": 2, "ms": 1711843200000, "s": "2024-10-27 02:30:00"}
{"id": 3, "ms": null, "s": null}
--- sql
SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE t (id INT, ms BIGINT, s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, DATE_FORMAT(TO_TIMESTAMP_LTZ(ms, 3), 'yyyy-MM-dd HH:mm') AS shown, HOUR(TO_TIMESTAMP_LTZ(ms, 3)) AS h, FROM_UNIXTIME(ms / 1000) AS u,
  UNIX_TIMESTAMP(s) AS epoch, CONVERT_TZ(s, 'UTC', 'Asia/Tokyo') AS tokyo, CAST(FLOOR(TO_TIMESTAMP_LTZ(ms, 3) TO DAY) AS STRING) AS day,
  TIMESTAMPADD(MONTH, id, TO_DATE(s, 'yyyy-MM-dd HH:mm:ss')) AS later
FROM t;
--- rows
id | shown | h | u | epoch | tokyo | day | later
1 | 2024-03-31 03:00 | 3 | 2024-03-31 03:00:00 | 1711848600 | 2024-03-31 11:30:00 | 2024-03-31 00:00:00.000 | 2024-04-30
2 | 2024-03-31 01:00 | 1 | 2024-03-31 01:00:00 | 1729989000 | 2024-10-27 11:30:00 | 2024-03-31 00:00:00.000 | 2024-12-27
3 | NULL | NULL | NULL | NULL | NULL | NULL | NULL
