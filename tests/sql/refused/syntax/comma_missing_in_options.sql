-- Options without a comma between.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem' 'path' = 'x');
--- error
LV-1001
expected , or ), found 'path'
line 1, column 57
hint: a comma or ) may be missing in front of it
