-- The history of heat meters, first layout. Times are milliseconds since 1970 in UTC; a number is
-- mantissa times ten to the exponent. A mantissa is an INTEGER, or TEXT where it has more than 63 bits:
-- that is what ANY stands for, and no digit is ever lost.

CREATE TABLE meters (
    id INTEGER PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    model TEXT,
    type INTEGER,
    software TEXT,
    -- What the gate remembers, in words of its own.
    memory TEXT
) STRICT;

-- Ids only grow, also after the oldest polls are deleted: cursors of destinations rely on it.
CREATE TABLE polls (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES meters (id),
    at INTEGER NOT NULL,
    -- NULL is `ok`.
    verdict TEXT,
    requests INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    bytes_sent INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL,
    microseconds INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX polls_by_meter ON polls (meter, at);

CREATE TABLE readings (
    poll INTEGER NOT NULL REFERENCES polls (id),
    register INTEGER NOT NULL,
    -- NULL is `good`.
    quality TEXT,
    unit INTEGER,
    exponent INTEGER,
    mantissa ANY,
    text TEXT,
    reason TEXT,
    PRIMARY KEY (poll, register)
) STRICT, WITHOUT ROWID;

-- The latest reading of each register, and its latest number that counted.
CREATE TABLE latest (
    meter INTEGER NOT NULL REFERENCES meters (id),
    register INTEGER NOT NULL,
    at INTEGER NOT NULL,
    quality TEXT,
    unit INTEGER,
    exponent INTEGER,
    mantissa ANY,
    text TEXT,
    reason TEXT,
    good_at INTEGER,
    good_unit INTEGER,
    good_exponent INTEGER,
    good_mantissa ANY,
    PRIMARY KEY (meter, register)
) STRICT, WITHOUT ROWID;

-- Roll-ups, kept for ever: what a register did in each hour and day of UTC. A chunk is 24 hours or 32
-- days: all registers of a chunk lie together, so that a poll changes few pages of the file, and a
-- register's slots of a chunk lie together, so that a chart reads few of them. `first_after` and
-- `last_after` are milliseconds from the beginning of the slot.
CREATE TABLE hours (
    meter INTEGER NOT NULL REFERENCES meters (id),
    chunk INTEGER NOT NULL,
    register INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    exponent INTEGER NOT NULL,
    first_after INTEGER NOT NULL,
    first ANY NOT NULL,
    last_after INTEGER NOT NULL,
    last ANY NOT NULL,
    low ANY NOT NULL,
    high ANY NOT NULL,
    PRIMARY KEY (meter, chunk, register, slot, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE days (
    meter INTEGER NOT NULL REFERENCES meters (id),
    chunk INTEGER NOT NULL,
    register INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    exponent INTEGER NOT NULL,
    first_after INTEGER NOT NULL,
    first ANY NOT NULL,
    last_after INTEGER NOT NULL,
    last ANY NOT NULL,
    low ANY NOT NULL,
    high ANY NOT NULL,
    PRIMARY KEY (meter, chunk, register, slot, unit)
) STRICT, WITHOUT ROWID;

-- Where a counter went back, or changed its unit: what lies between the two readings is not known.
CREATE TABLE breaks (
    meter INTEGER NOT NULL REFERENCES meters (id),
    register INTEGER NOT NULL,
    at INTEGER NOT NULL,
    before_unit INTEGER NOT NULL,
    before_exponent INTEGER NOT NULL,
    before_mantissa ANY NOT NULL,
    unit INTEGER NOT NULL,
    exponent INTEGER NOT NULL,
    mantissa ANY NOT NULL,
    PRIMARY KEY (meter, register, at)
) STRICT, WITHOUT ROWID;

-- Polls in a row that came to the same bad verdict: they explain gaps when the polls are long deleted.
CREATE TABLE outages (
    meter INTEGER NOT NULL REFERENCES meters (id),
    began INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    -- The first poll that came to something else; NULL while there is none.
    ended INTEGER,
    PRIMARY KEY (meter, began)
) STRICT, WITHOUT ROWID;

-- Up to where each destination has acknowledged.
CREATE TABLE places (
    name TEXT NOT NULL PRIMARY KEY,
    acknowledged INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
