SET 'parallelism.default' = '2';
CREATE TABLE bids (auction BIGINT, price INT) WITH ('connector' = 'stream');
CREATE TABLE counts (auction BIGINT, n BIGINT) WITH ('connector' = 'any');
EXPLAIN JSON_EXECUTION_PLAN INSERT INTO counts SELECT auction, COUNT(*) FROM bids GROUP BY auction;
