-- There is no row whose time could be meant.
--- use rates
--- sql
SELECT * FROM rates FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-01 00:00:00';
--- error
FOR SYSTEM_TIME AS OF a table that is not the right one of a JOIN
line 1, column 15
