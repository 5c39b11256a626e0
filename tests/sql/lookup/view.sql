-- A view picks, computes and filters: what it drops is no partner.
--- use directory
--- sql
SELECT o.id, e.called, e.twice FROM orders AS o
LEFT JOIN europeans FOR SYSTEM_TIME AS OF o.pt AS e ON o.person = e.number AND e.twice > 2;
--- rows
id | called | twice
1 | ann | 10
2 | NULL | NULL
3 | NULL | NULL
4 | NULL | NULL
5 | ann | 10
6 | NULL | NULL
7 | ann | 10
8 | NULL | NULL
