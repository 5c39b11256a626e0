-- Local item suggestion: who sells in category 10 in Oregon, Idaho or California (the generator's states are in
-- small letters).
CREATE TABLE sink (
  name VARCHAR,
  city VARCHAR,
  state VARCHAR,
  id BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT P.name, P.city, P.state, A.id
FROM auction AS A JOIN person AS P ON A.seller = P.id
WHERE A.category = 10 AND (P.state = 'or' OR P.state = 'id' OR P.state = 'ca');
