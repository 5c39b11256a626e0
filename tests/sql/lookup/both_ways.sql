-- The same table is asked and read.
--- use directory
--- sql
SELECT o.id, p.name FROM orders AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND p.region = 'us'
UNION ALL
SELECT id, name FROM people WHERE region = 'us';
--- rows
id | name
1 | ann
2 | bob
5 | ann
7 | ann
10 | ann
11 | bob
