-- TRIM on each side, LPAD and RPAD, LEFT and RIGHT, REPEAT, POSITION.
--- sql
SELECT TRIM('  a ') AS t, TRIM(LEADING 'x' FROM 'xxax') AS l, TRIM(TRAILING 'x' FROM 'xaxx') AS r, LPAD('7', 3, '0') AS p, RPAD('7', 3, '.') AS q,
  LEFT('levada', 2) AS a, RIGHT('levada', 3) AS b, REPEAT('ab', 3) AS c, POSITION('va' IN 'levada') AS o, POSITION('x' IN 'levada') AS z
FROM (VALUES (1)) AS v (x);
--- rows
t | l | r | p | q | a | b | c | o | z
a | ax | xa | 007 | 7.. | le | ada | ababab | 3 | 0
