CREATE TABLE bids (auction BIGINT, price INT) WITH ('connector' = 'stream');
CREATE TABLE counts (auction BIGINT, n BIGINT) WITH ('connector' = 'any');
CREATE TABLE cheap (auction BIGINT, price INT) WITH ('connector' = 'append');
EXPLAIN CHANGELOG_MODE, JOB GRAPH STATEMENT SET BEGIN
INSERT INTO counts SELECT auction, COUNT(*) FROM bids GROUP BY auction;
INSERT INTO cheap SELECT * FROM bids WHERE price < 5;
END;
