"""Run statements that are slow the first time, before a user's statements are the first ones.

A cold JVM takes 6 to 12 s for its first Delta table and as long for its first MERGE; a warm one takes less than 1 s.
The statements use a scratch schema and drop it. A failure is only logged.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from penstock.spark.server.record import Record

SCHEMA = "penstock_warm_up"
STATEMENTS = (
    f"create schema if not exists {SCHEMA}",
    f"create or replace table {SCHEMA}.t using delta partitioned by (m) as "
    "select id, cast(id % 2 as int) as m, cast(id as decimal(12, 2)) as v, array(id) as a from range(100)",
    f"create or replace view {SCHEMA}.v as select m, sum(v) as v, count(*) as n from {SCHEMA}.t group by m",
    f"create or replace table {SCHEMA}.u using delta as "
    f"select t.*, row_number() over (partition by t.m order by t.id) as r from {SCHEMA}.t join {SCHEMA}.v on t.m = v.m",
    f"select count(*) from (select id from {SCHEMA}.u where id is null)",
    f"describe extended {SCHEMA}.t",
    f"show table extended in {SCHEMA} like '*'",
    f"drop schema if exists {SCHEMA} cascade",
)


def run(server: Record, log: Callable[[str], None], count_clients: Callable[[], int]) -> None:
    """Run the statements over Thrift, one after another, until a client connects.

    Args:
        server: the server, which is ready.
        log: writes a line to the supervisor's log.
        count_clients: returns the number of connections of the server, this one included.
    """
    begin = time.monotonic()
    try:
        connection = server.connect()
        try:
            cursor = connection.cursor()
            for statement in STATEMENTS[:-1]:
                if count_clients() > 1:
                    log("a client connected; the rest of the warm-up is skipped")
                    break
                cursor.execute(statement)
            cursor.execute(STATEMENTS[-1])
        finally:
            connection.close()
        log(f"warmed up in {time.monotonic() - begin:.1f} s")
    except Exception as error:
        log(f"warm-up ended early: {type(error).__name__}: {str(error)[:300]}")
