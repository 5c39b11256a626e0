-- Double quotes around an option.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ("connector" = "print");
--- error
LV-1001
expected an option's key in single quotes, found "connector"
line 1, column 30
hint: keys and values are texts: WITH ('connector' = '…')
