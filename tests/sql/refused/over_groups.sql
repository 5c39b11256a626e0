-- Frames in GROUPS.
--- use keyed
--- skip batch: batch does it
--- sql
SELECT id, SUM(v) OVER (ORDER BY id GROUPS 2 PRECEDING) AS s FROM keyed;
--- error streaming
LV-1011
a frame of GROUPS
line 1, column 12
ROWS
