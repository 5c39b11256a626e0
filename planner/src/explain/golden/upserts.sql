CREATE TABLE users (
  id BIGINT,
  region STRING NOT NULL,
  score BIGINT,
  unread STRING,
  seen TIMESTAMP(3),
  loud AS UPPER(region),
  WATERMARK FOR seen AS seen - INTERVAL '4' SECOND,
  PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'upserts');
CREATE TABLE copies (id BIGINT, score BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upserts');
CREATE TABLE regions (region STRING, n BIGINT, PRIMARY KEY (region) NOT ENFORCED) WITH ('connector' = 'upserts');
SET 'parallelism.default' = '2';
EXPLAIN SELECT id, score FROM users WHERE score > 10 AND id < 100;
EXPLAIN CHANGELOG_MODE SELECT loud FROM users;
EXPLAIN CHANGELOG_MODE INSERT INTO copies SELECT id, score FROM users;
EXPLAIN CHANGELOG_MODE INSERT INTO copies SELECT id, score FROM users WHERE score > 10;
EXPLAIN CHANGELOG_MODE EXECUTE STATEMENT SET BEGIN
  INSERT INTO copies SELECT id, score FROM users;
  INSERT INTO regions SELECT region, COUNT(*) FROM users GROUP BY region;
END;
EXPLAIN CHANGELOG_MODE SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE users, DESCRIPTOR(seen), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
EXPLAIN JOB GRAPH INSERT INTO regions SELECT region, COUNT(*) FROM users GROUP BY region;
EXPLAIN INSERT INTO copies SELECT score, id FROM users;
