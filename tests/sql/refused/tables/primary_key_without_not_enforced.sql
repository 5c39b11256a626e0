-- A key without NOT ENFORCED.
--- use market
--- sql
CREATE TABLE t (a INT PRIMARY KEY) WITH ('connector' = 'print');
--- error
LV-1001
expected NOT ENFORCED, found )
line 1, column 34
hint: write PRIMARY KEY (…) NOT ENFORCED: the source is trusted to keep keys unique
