CREATE TABLE orders (
  id BIGINT NOT NULL,
  customer INT,
  country STRING,
  ts TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND,
  PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'stream');
CREATE TABLE customers (id INT, country STRING, name STRING, unread STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'table', 'path' = 'asked');
CREATE TABLE cached (id INT, name STRING, shout AS UPPER(name)) WITH ('connector' = 'table', 'path' = 'asked, cached');
CREATE TABLE loaded (id INT, name STRING) WITH ('connector' = 'table', 'path' = 'loaded');
CREATE VIEW called AS SELECT name AS called, id AS number FROM customers WHERE country <> 'nl';
CREATE TABLE out (id BIGINT, name STRING) WITH ('connector' = 'append');
SET 'parallelism.default' = '2';
EXPLAIN CHANGELOG_MODE SELECT o.id, o.ts, c.name FROM orders AS o LEFT JOIN customers FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.id AND c.country = 'pt' AND c.name <> o.country;
EXPLAIN CHANGELOG_MODE SELECT o.id, c.shout FROM orders AS o JOIN cached FOR SYSTEM_TIME AS OF o.pt AS c ON o.id = c.id;
EXPLAIN CHANGELOG_MODE SELECT o.id, c.called FROM orders AS o JOIN called FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.number WHERE o.country = 'pt';
EXPLAIN LOGICAL SELECT o.id, c.name FROM orders AS o JOIN loaded FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.id;
EXPLAIN JOB GRAPH INSERT INTO out SELECT o.id, c.shout FROM orders AS o JOIN cached FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.id;
EXPLAIN JOB GRAPH INSERT INTO out SELECT o.id, c.name FROM orders AS o JOIN loaded FOR SYSTEM_TIME AS OF o.pt AS c ON o.customer = c.id UNION ALL SELECT id, name FROM loaded;
