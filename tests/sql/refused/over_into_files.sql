-- Values that are corrected do not go into files.
--- use sales
--- skip batch: batch has no updates, so the insert is fine there
--- sql
CREATE TABLE out_ (id INT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT id, COUNT(*) OVER (PARTITION BY shop) FROM sales;
--- error streaming
LV-
out_
update
