-- A text for a number.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = 'many');
--- error
LV-1007
table 't': the option 'rows-per-second' has the value 'many', expected a number of rows, or '0' for no limit
line 1, column 55
