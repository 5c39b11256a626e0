-- A table of files takes no updates.
--- use bids
--- skip batch: batch has no updates, so the insert is fine there
--- sql
CREATE TABLE out_ (item STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT item, COUNT(*) FROM bids GROUP BY item;
--- error streaming
LV-
out_
update
