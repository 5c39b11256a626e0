-- MAX and MIN over values that change: the old maximum has to go.
--- use keyed
--- sql
SELECT MAX(s) AS high, MIN(s) AS low, COUNT(*) AS n, AVG(n) AS mean FROM (SELECT k, SUM(v) AS s, COUNT(*) AS n FROM keyed GROUP BY k);
--- rows
high | low | n | mean
45 | 1 | 5 | 1.8
