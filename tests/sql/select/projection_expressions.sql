-- Arithmetic keeps NULL; integers divide to integers; % has the sign of the dividend.
--- use bids
--- sql
SELECT bidder, price + 1 AS more, price * 2 AS twice, -price AS less, price / 2 AS half, -price % 4 AS remainder
FROM bids WHERE auction = 3 OR auction = 2;
--- rows
bidder | more | twice | less | half | remainder
11 | 8 | 14 | -7 | 3 | -3
12 | NULL | NULL | NULL | NULL | NULL
10 | 5 | 8 | -4 | 2 | 0
12 | 8 | 14 | -7 | 3 | -3
10 | 9 | 16 | -8 | 4 | 0
