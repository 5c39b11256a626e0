-- Each order meets all rows that its person has; orders of nobody and of strangers meet none.
--- use directory
--- sql
SELECT o.id, p.region, p.name FROM orders AS o
JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id;
--- rows
id | region | name
1 | eu | ann
1 | us | ann
2 | us | bob
5 | eu | ann
5 | us | ann
6 | eu | NULL
7 | eu | ann
7 | us | ann
