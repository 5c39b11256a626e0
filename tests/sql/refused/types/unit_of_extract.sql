-- A unit that there is not.
--- use market
--- sql
SELECT EXTRACT(DAYZ FROM ts) FROM bids;
--- error
LV-1001
expected date/time field, found DAYZ
line 1, column 16
hint: the units are SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR and parts such as DOW, DOY
