-- CREATE STREAM of ksqlDB.
--- use market
--- sql
CREATE STREAM s (a INT) WITH (kafka_topic = 't');
--- error
LV-1011
CREATE STREAM is not supported
line 1, column 8
hint: write CREATE TABLE … WITH ('connector' = '…'): what is read and what is written are tables
