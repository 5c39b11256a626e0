-- A key that is compared as a wider number is asked for in its own type; what does not fit is the key of nobody.
--- use directory
--- sql
SELECT o.id, p.name FROM orders AS o
LEFT JOIN people FOR SYSTEM_TIME AS OF o.pt AS p
ON p.region = 'us' AND p.id = CASE WHEN o.id = 1 THEN CAST(4294967306 AS BIGINT) ELSE CAST(o.person AS BIGINT) END;
--- rows
id | name
1 | NULL
2 | bob
3 | NULL
4 | NULL
5 | ann
6 | NULL
7 | ann
8 | NULL
