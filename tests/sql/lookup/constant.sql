-- A constant can be part of the key, and an expression of the left row too.
--- use directory
--- sql
SELECT o.id, p.name FROM orders AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON p.region = 'us' AND p.id = o.person + 1 - 1;
--- rows
id | name
1 | ann
2 | bob
5 | ann
7 | ann
