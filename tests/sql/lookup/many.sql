-- Enough rows that jobs are stopped and killed with questions under way: nothing is lost, and nothing comes twice.
--- file many_orders.json
{"id": 1, "person": 8}
{"id": 2, "person": 3}
{"id": 3, "person": 10}
{"id": 4, "person": 4}
{"id": 5, "person": 11}
{"id": 6, "person": 10}
{"id": 7, "person": 10}
{"id": 8, "person": 9}
{"id": 9, "person": 7}
{"id": 10, "person": null}
{"id": 11, "person": 6}
{"id": 12, "person": 11}
{"id": 13, "person": 2}
{"id": 14, "person": 9}
{"id": 15, "person": null}
{"id": 16, "person": 1}
{"id": 17, "person": 0}
{"id": 18, "person": 4}
{"id": 19, "person": 6}
{"id": 20, "person": 2}
{"id": 21, "person": 5}
{"id": 22, "person": 7}
{"id": 23, "person": 0}
{"id": 24, "person": 8}
{"id": 25, "person": 2}
{"id": 26, "person": null}
{"id": 27, "person": 10}
{"id": 28, "person": 2}
{"id": 29, "person": 5}
{"id": 30, "person": 3}
{"id": 31, "person": 1}
{"id": 32, "person": 11}
{"id": 33, "person": 5}
{"id": 34, "person": 1}
{"id": 35, "person": 11}
{"id": 36, "person": 11}
{"id": 37, "person": 0}
{"id": 38, "person": 1}
{"id": 39, "person": 8}
{"id": 40, "person": 8}
{"id": 41, "person": 6}
{"id": 42, "person": 1}
{"id": 43, "person": 1}
{"id": 44, "person": null}
{"id": 45, "person": null}
{"id": 46, "person": 2}
{"id": 47, "person": 11}
{"id": 48, "person": 2}
{"id": 49, "person": 1}
{"id": 50, "person": 1}
{"id": 51, "person": 3}
{"id": 52, "person": 4}
{"id": 53, "person": 2}
{"id": 54, "person": 7}
{"id": 55, "person": 9}
{"id": 56, "person": 9}
{"id": 57, "person": 2}
{"id": 58, "person": 1}
{"id": 59, "person": 10}
{"id": 60, "person": 2}
{"id": 61, "person": 5}
{"id": 62, "person": 3}
{"id": 63, "person": null}
{"id": 64, "person": 4}
{"id": 65, "person": 5}
{"id": 66, "person": 1}
{"id": 67, "person": 1}
{"id": 68, "person": 3}
{"id": 69, "person": 0}
{"id": 70, "person": 4}
{"id": 71, "person": 3}
{"id": 72, "person": 8}
{"id": 73, "person": 8}
{"id": 74, "person": null}
{"id": 75, "person": 8}
{"id": 76, "person": 9}
{"id": 77, "person": 10}
{"id": 78, "person": 4}
{"id": 79, "person": 0}
{"id": 80, "person": 3}
{"id": 81, "person": 4}
{"id": 82, "person": 3}
{"id": 83, "person": 6}
{"id": 84, "person": 10}
{"id": 85, "person": 4}
{"id": 86, "person": 1}
{"id": 87, "person": 6}
{"id": 88, "person": 6}
{"id": 89, "person": 10}
{"id": 90, "person": 1}
{"id": 91, "person": null}
{"id": 92, "person": 3}
{"id": 93, "person": null}
{"id": 94, "person": 10}
{"id": 95, "person": 4}
{"id": 96, "person": 5}
{"id": 97, "person": null}
{"id": 98, "person": 7}
{"id": 99, "person": 11}
{"id": 100, "person": 5}
{"id": 101, "person": 4}
{"id": 102, "person": 5}
{"id": 103, "person": 8}
{"id": 104, "person": null}
{"id": 105, "person": 6}
{"id": 106, "person": null}
{"id": 107, "person": 10}
{"id": 108, "person": 1}
{"id": 109, "person": 8}
{"id": 110, "person": 2}
{"id": 111, "person": 0}
{"id": 112, "person": 11}
{"id": 113, "person": 2}
{"id": 114, "person": 6}
{"id": 115, "person": 4}
{"id": 116, "person": 7}
{"id": 117, "person": 4}
{"id": 118, "person": 7}
{"id": 119, "person": 3}
{"id": 120, "person": 11}
{"id": 121, "person": 6}
{"id": 122, "person": 0}
{"id": 123, "person": 8}
{"id": 124, "person": 10}
{"id": 125, "person": 11}
{"id": 126, "person": 11}
{"id": 127, "person": 4}
{"id": 128, "person": 3}
{"id": 129, "person": null}
{"id": 130, "person": 5}
{"id": 131, "person": 0}
{"id": 132, "person": 2}
{"id": 133, "person": 4}
{"id": 134, "person": 7}
{"id": 135, "person": 8}
{"id": 136, "person": 4}
{"id": 137, "person": 1}
{"id": 138, "person": 4}
{"id": 139, "person": 3}
{"id": 140, "person": 10}
{"id": 141, "person": 7}
{"id": 142, "person": 0}
{"id": 143, "person": 3}
{"id": 144, "person": 9}
{"id": 145, "person": 4}
{"id": 146, "person": 3}
{"id": 147, "person": 1}
{"id": 148, "person": 11}
{"id": 149, "person": 0}
{"id": 150, "person": 9}
{"id": 151, "person": 1}
{"id": 152, "person": 10}
{"id": 153, "person": 10}
{"id": 154, "person": 3}
{"id": 155, "person": 6}
{"id": 156, "person": 1}
{"id": 157, "person": 10}
{"id": 158, "person": null}
{"id": 159, "person": 0}
{"id": 160, "person": 8}
--- file many_people.json
{"id": 0, "name": "a0"}
{"id": 0, "name": "a1"}
{"id": 0, "name": "a2"}
{"id": 2, "name": "c0"}
{"id": 3, "name": "d0"}
{"id": 3, "name": "d1"}
{"id": 4, "name": "e0"}
{"id": 4, "name": "e1"}
{"id": 5, "name": "f0"}
{"id": 5, "name": "f1"}
{"id": 5, "name": "f2"}
{"id": 6, "name": "g0"}
{"id": 6, "name": "g1"}
{"id": 6, "name": "g2"}
{"id": 7, "name": "h0"}
--- sql
CREATE TABLE orders (id INT, person INT, pt AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = '{dir}/many_orders.json', 'format' = 'json');
CREATE TABLE people (id INT, name STRING)
WITH ('connector' = 'filesystem', 'path' = '{dir}/many_people.json', 'format' = 'json', 'lookup.cache' = 'FULL');
SELECT o.id, p.name FROM orders AS o
LEFT JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id;
--- rows
id | name
1 | NULL
2 | d0
2 | d1
3 | NULL
4 | e0
4 | e1
5 | NULL
6 | NULL
7 | NULL
8 | NULL
9 | h0
10 | NULL
11 | g0
11 | g1
11 | g2
12 | NULL
13 | c0
14 | NULL
15 | NULL
16 | NULL
17 | a0
17 | a1
17 | a2
18 | e0
18 | e1
19 | g0
19 | g1
19 | g2
20 | c0
21 | f0
21 | f1
21 | f2
22 | h0
23 | a0
23 | a1
23 | a2
24 | NULL
25 | c0
26 | NULL
27 | NULL
28 | c0
29 | f0
29 | f1
29 | f2
30 | d0
30 | d1
31 | NULL
32 | NULL
33 | f0
33 | f1
33 | f2
34 | NULL
35 | NULL
36 | NULL
37 | a0
37 | a1
37 | a2
38 | NULL
39 | NULL
40 | NULL
41 | g0
41 | g1
41 | g2
42 | NULL
43 | NULL
44 | NULL
45 | NULL
46 | c0
47 | NULL
48 | c0
49 | NULL
50 | NULL
51 | d0
51 | d1
52 | e0
52 | e1
53 | c0
54 | h0
55 | NULL
56 | NULL
57 | c0
58 | NULL
59 | NULL
60 | c0
61 | f0
61 | f1
61 | f2
62 | d0
62 | d1
63 | NULL
64 | e0
64 | e1
65 | f0
65 | f1
65 | f2
66 | NULL
67 | NULL
68 | d0
68 | d1
69 | a0
69 | a1
69 | a2
70 | e0
70 | e1
71 | d0
71 | d1
72 | NULL
73 | NULL
74 | NULL
75 | NULL
76 | NULL
77 | NULL
78 | e0
78 | e1
79 | a0
79 | a1
79 | a2
80 | d0
80 | d1
81 | e0
81 | e1
82 | d0
82 | d1
83 | g0
83 | g1
83 | g2
84 | NULL
85 | e0
85 | e1
86 | NULL
87 | g0
87 | g1
87 | g2
88 | g0
88 | g1
88 | g2
89 | NULL
90 | NULL
91 | NULL
92 | d0
92 | d1
93 | NULL
94 | NULL
95 | e0
95 | e1
96 | f0
96 | f1
96 | f2
97 | NULL
98 | h0
99 | NULL
100 | f0
100 | f1
100 | f2
101 | e0
101 | e1
102 | f0
102 | f1
102 | f2
103 | NULL
104 | NULL
105 | g0
105 | g1
105 | g2
106 | NULL
107 | NULL
108 | NULL
109 | NULL
110 | c0
111 | a0
111 | a1
111 | a2
112 | NULL
113 | c0
114 | g0
114 | g1
114 | g2
115 | e0
115 | e1
116 | h0
117 | e0
117 | e1
118 | h0
119 | d0
119 | d1
120 | NULL
121 | g0
121 | g1
121 | g2
122 | a0
122 | a1
122 | a2
123 | NULL
124 | NULL
125 | NULL
126 | NULL
127 | e0
127 | e1
128 | d0
128 | d1
129 | NULL
130 | f0
130 | f1
130 | f2
131 | a0
131 | a1
131 | a2
132 | c0
133 | e0
133 | e1
134 | h0
135 | NULL
136 | e0
136 | e1
137 | NULL
138 | e0
138 | e1
139 | d0
139 | d1
140 | NULL
141 | h0
142 | a0
142 | a1
142 | a2
143 | d0
143 | d1
144 | NULL
145 | e0
145 | e1
146 | d0
146 | d1
147 | NULL
148 | NULL
149 | a0
149 | a1
149 | a2
150 | NULL
151 | NULL
152 | NULL
153 | NULL
154 | d0
154 | d1
155 | g0
155 | g1
155 | g2
156 | NULL
157 | NULL
158 | NULL
159 | a0
159 | a1
159 | a2
160 | NULL
