-- A time zone that does not exist.
--- use market
--- sql
SET 'table.local-time-zone' = 'Europe/Berln';
--- error
LV-1007
'table.local-time-zone' cannot be 'Europe/Berln'
line 1, column 5
hint: give a time zone such as 'UTC', 'Europe/Lisbon' or '+02:00'
