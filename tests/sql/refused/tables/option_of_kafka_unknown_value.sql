-- A value that the option does not know.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'x:1', 'format' = 'json', 'scan.startup.mode' = 'earliest');
--- error
LV-1007
table 't': the option 'scan.startup.mode' has the value 'earliest', expected one of 'group-offsets', 'earliest-offset', 'latest-offset', 'timestamp', 'specific-offsets'
line 1, column 127
