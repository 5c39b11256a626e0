-- Rows come once, so files take them.
--- use directory
--- sql
CREATE TABLE named (id INT, name STRING)
WITH ('connector' = 'filesystem', 'path' = '{dir}/named', 'format' = 'csv');
INSERT INTO named SELECT o.id, p.name FROM orders AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND o.region = p.region;
--- lines named
1,ann
2,bob
5,ann
7,ann
