-- A key that is to be enforced.
--- use market
--- sql
CREATE TABLE t (a INT, PRIMARY KEY (a) ENFORCED) WITH ('connector' = 'print');
--- error
LV-1011
an enforced PRIMARY KEY is not supported
line 1, column 40
hint: write PRIMARY KEY (…) NOT ENFORCED: the source is trusted to keep keys unique
