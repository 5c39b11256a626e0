-- Rows of a window beside an aggregate of another table in it, which one window does not have.
--- use payments
--- sql
SELECT a.id, a.amount, b.top FROM placed_windows AS a LEFT JOIN (
  SELECT window_start, window_end, MAX(paid) AS top FROM payment_windows WHERE id < 20 GROUP BY window_start, window_end
) AS b ON a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows
id | amount | top
1 | 5 | 9
2 | 7 | 9
3 | 3 | 9
4 | 9 | 9
5 | 8 | 9
6 | 6 | 8
7 | 2 | 8
8 | 4 | NULL
9 | 1 | 8
10 | NULL | NULL
