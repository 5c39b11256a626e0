-- Two inserts share the tables, one of which is read for its rows and for its versions.
--- use rates
--- sql
CREATE TABLE priced (id INT, rate INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/priced', 'format' = 'csv');
CREATE TABLE changes (currency STRING, rate INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/changes', 'format' = 'csv');
EXECUTE STATEMENT SET BEGIN
INSERT INTO priced SELECT t.id, r.rate FROM trades AS t
JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
INSERT INTO changes SELECT currency, rate FROM rates WHERE rate > 110;
END;
--- lines priced
2,110
3,100
4,112
8,99
9,112
10,2
11,115
--- lines changes
EUR,112
EUR,120
EUR,115
