"""Runs a query on DuckDB in this process.

measure DDL QUERY THREADS RUNS   runs the query RUNS times and prints "seconds S" after each. Its
                                 rows are hashed and counted instead of written anywhere, which is
                                 the nearest that DuckDB has to a sink that swallows them.
rows DDL QUERY THREADS FILE      writes the rows to FILE as JSON objects, one a line.
"""

import sys
import time

import duckdb


def main() -> None:
    if len(sys.argv) != 6 or sys.argv[1] not in ("measure", "rows"):
        sys.exit(__doc__)
    mode, ddl, query, threads, target = sys.argv[1:]
    connection = duckdb.connect(":memory:", config={"threads": int(threads)})
    with open(ddl, encoding="utf-8") as file:
        connection.execute(file.read())
    with open(query, encoding="utf-8") as file:
        select = file.read()
    if mode == "rows":
        connection.execute(f"COPY ({select}) TO '{target}' (FORMAT json)")
        return
    for _ in range(int(target)):
        start = time.perf_counter()
        connection.execute(f"SELECT count(*), bit_xor(hash(output)) FROM ({select}) AS output").fetchall()
        print(f"seconds {time.perf_counter() - start:.3f}", flush=True)


if __name__ == "__main__":
    main()
