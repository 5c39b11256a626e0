-- Expressions over aggregates and window bounds.
--- use bids
--- sql
SELECT DATE_FORMAT(window_start, 'HH:mm:ss') AS at_, SUM(price) * 100 / COUNT(*) AS cents, CASE WHEN COUNT(*) > 1 THEN 'many' ELSE 'one' END AS how
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
at_ | cents | how
00:00:00 | 375 | many
00:00:10 | 650 | many
00:00:20 | 100 | one
00:00:30 | 800 | one
