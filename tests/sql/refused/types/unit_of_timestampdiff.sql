-- A unit that there is not.
--- use market
--- sql
SELECT TIMESTAMPDIFF(DAYZ, ts, ts) FROM bids;
--- error
LV-1001
DAYZ is not a unit of time
line 1, column 22
hint: the units are SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR, MILLISECOND, MICROSECOND, NANOSECOND
