-- Functions with OVER that streams do not know.
--- use keyed
--- skip batch: batch does it
--- sql
SELECT id,
  STDDEV(v) OVER (ORDER BY id) AS s FROM keyed;
--- error streaming
LV-1011
STDDEV with OVER
line 2, column 3
ROW_NUMBER, RANK
