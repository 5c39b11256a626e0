-- A type that keeps a zone in every value.
--- use market
--- sql
CREATE TABLE t (a TIMESTAMP WITH TIME ZONE) WITH ('connector' = 'print');
--- error
LV-1012
TIMESTAMP WITH TIME ZONE keeps a zone in every value and is not supported
line 1, column 19
hint: TIMESTAMP_LTZ is an instant
