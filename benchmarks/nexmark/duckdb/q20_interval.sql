SELECT B.auction, B.bidder, B.price, B.dateTime, A.itemName, A.seller, A.category
FROM bid AS B JOIN auction AS A
ON B.auction = A.id AND B.dateTime BETWEEN A.dateTime AND A.dateTime + INTERVAL '2' SECOND
