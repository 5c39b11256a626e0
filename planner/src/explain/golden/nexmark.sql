CREATE TABLE nexmark (
  event_type INT,
  person ROW<id BIGINT, name STRING, city STRING, `dateTime` TIMESTAMP(3)>,
  auction ROW<id BIGINT, seller BIGINT, category BIGINT, `dateTime` TIMESTAMP(3)>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING>,
  `dateTime` AS CASE WHEN event_type = 0 THEN person.`dateTime` WHEN event_type = 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'table');
CREATE VIEW person AS SELECT person.id, person.name, person.city, `dateTime` FROM nexmark WHERE event_type = 0;
CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, `dateTime`, bid.extra FROM nexmark WHERE event_type = 2;
CREATE TABLE sink_q0 (auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), extra STRING) WITH ('connector' = 'any');
CREATE TABLE sink_q1 (auction BIGINT, price DECIMAL(23, 3)) WITH ('connector' = 'any');
CREATE TABLE sink_q5 (auction BIGINT, n BIGINT, window_start TIMESTAMP(3)) WITH ('connector' = 'any');
CREATE TABLE sink_q17 (auction BIGINT, `day` STRING, total BIGINT, rank1 BIGINT, lowest BIGINT, average DOUBLE) WITH ('connector' = 'any');
SET 'parallelism.default' = '2';
EXPLAIN INSERT INTO sink_q0 SELECT auction, bidder, price, dateTime, extra FROM bid;
EXPLAIN JOB GRAPH INSERT INTO sink_q1 SELECT auction, 0.908 * price AS price FROM bid;
EXPLAIN STATEMENT SET BEGIN
INSERT INTO sink_q5 SELECT auction, COUNT(*), window_start FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY auction, window_start, window_end;
INSERT INTO sink_q17 SELECT auction, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS `day`, count(*), count(*) filter (where price < 10000), min(price), avg(price) FROM bid GROUP BY auction, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd');
END;
EXPLAIN JOB GRAPH SELECT id, name FROM person WHERE city = 'Porto' UNION ALL SELECT bidder, channel FROM bid;
