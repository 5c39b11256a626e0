CREATE TABLE sales (
  id BIGINT NOT NULL,
  buyer BIGINT,
  part BIGINT,
  n BIGINT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
CREATE TABLE parts (part BIGINT, weight BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');
CREATE TABLE buyers (buyer BIGINT NOT NULL, country BIGINT, least BIGINT, PRIMARY KEY (buyer) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE countries (country BIGINT NOT NULL, name STRING, PRIMARY KEY (country) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE prices (part BIGINT, buyer BIGINT, price BIGINT, PRIMARY KEY (part, buyer) NOT ENFORCED) WITH ('connector' = 'upserts');
EXPLAIN CHANGELOG_MODE SELECT s.id, p.weight, b.least FROM sales s, parts p, buyers b WHERE s.part = p.part AND s.buyer = b.buyer AND b.least > 3;
EXPLAIN CHANGELOG_MODE SELECT s.id FROM buyers b JOIN sales s ON s.buyer = b.buyer JOIN parts p ON s.part = p.part JOIN countries c ON b.country = c.country AND c.name = 'fi';
EXPLAIN CHANGELOG_MODE SELECT s.id, p.weight FROM sales s, parts p, buyers b WHERE s.part = p.part AND s.buyer = b.buyer AND s.n + p.weight = b.least AND b.least > 3;
EXPLAIN CHANGELOG_MODE SELECT s.id FROM buyers b1, sales s, parts p, buyers b2 WHERE s.buyer = b1.buyer AND s.part = p.part AND s.n = b2.buyer AND (b1.least = 1 AND b2.least = 2 OR b1.least = 2 AND b2.least = 1);
EXPLAIN CHANGELOG_MODE SELECT s.id, p.weight FROM sales s, parts p, buyers b WHERE s.part = p.part AND s.buyer = b.buyer AND b.least > 3 AND EXISTS (SELECT 1 FROM countries c WHERE c.country = s.n AND c.name = CAST(p.weight AS STRING));
EXPLAIN CHANGELOG_MODE SELECT s.id, p.weight FROM sales s, parts p, buyers b WHERE s.part = p.part AND s.buyer = b.buyer;
EXPLAIN CHANGELOG_MODE SELECT s.id, p.weight FROM sales s, parts p, prices b WHERE s.part = p.part AND s.buyer = b.buyer AND b.price > 3;
EXPLAIN CHANGELOG_MODE SELECT s.id, p.weight FROM sales s, parts p, buyers b WHERE s.part = p.part AND s.buyer = b.buyer AND b.least > 3 AND s.n < p.weight * RAND();
EXPLAIN CHANGELOG_MODE SELECT s.id, p.weight FROM sales s, parts p, buyers b WHERE s.part = p.part AND p.ts BETWEEN s.ts AND s.ts + INTERVAL '5' SECOND AND s.buyer = b.buyer AND b.least > 3;
EXPLAIN CHANGELOG_MODE SELECT /*+ STATE_TTL('s' = '1 d') */ s.id, p.weight FROM sales s, parts p, buyers b WHERE s.part = p.part AND s.buyer = b.buyer AND b.least > 3;
