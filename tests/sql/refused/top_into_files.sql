-- A Top-N takes back rows that others push out, which files do not.
--- use bids
--- skip batch: batch has no updates, so the insert is fine there
--- sql
CREATE TABLE out_ (auction BIGINT, price INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT auction, price FROM bids ORDER BY price DESC LIMIT 3;
--- error streaming
LV-
out_
update
