-- A subquery in FROM with a name and other names for its columns.
--- use bids
--- sql
SELECT x.a + x.b AS s FROM (SELECT bidder, price FROM bids WHERE auction = 1) AS x (a, b);
--- rows
s
15
14
19
13
