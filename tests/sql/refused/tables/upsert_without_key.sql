-- A table of upserts without a key.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'upsert-kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'x:1', 'key.format' = 'json', 'value.format' = 'json');
--- error
LV-1007
table 't': the connector 'upsert-kafka' needs a PRIMARY KEY, by which rows replace each other
line 1, column 14
hint: add PRIMARY KEY (…) NOT ENFORCED to the columns
