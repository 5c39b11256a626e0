-- A colon in an option.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector': 'print');
--- error
LV-1001
expected =, found :
line 1, column 41
