-- Kafka without servers.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');
--- error
LV-1006
table 't': the option 'properties.bootstrap.servers' is missing
line 1, column 14
hint: add 'properties.bootstrap.servers' = 'host:9092'
