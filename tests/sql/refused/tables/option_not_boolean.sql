-- A value that is neither true nor false.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'json.ignore-parse-errors' = 'yes');
--- error
LV-1007
table 't': the option 'json.ignore-parse-errors' has the value 'yes', expected 'true' or 'false'
line 1, column 91
