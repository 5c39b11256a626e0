-- SET without a value.
--- use market
--- sql
SET 'parallelism.default';
--- error
LV-1001
expected =, found the end of the statement
line 1, column 26
hint: write SET 'name' = 'value'; SET alone lists what is set
