-- An outer join takes back padded rows, which files do not.
--- use shop
--- skip batch: batch has no updates, so the insert is fine there
--- sql
CREATE TABLE out_ (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON o.customer = c.customer;
--- error streaming
LV-
out_
update
