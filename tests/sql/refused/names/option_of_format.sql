-- A mistyped option of a format.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'json.ignore-parse-error' = 'true');
--- error
LV-1005
table 't': unknown option 'json.ignore-parse-error'
line 1, column 91
hint: did you mean 'json.ignore-parse-errors'?
