-- Written by version 0.1.0, schema 1. Never to be changed: later versions have to read it.
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
CREATE TABLE rows (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, n INTEGER NOT NULL, home TEXT NOT NULL,
                   room TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, fixed INTEGER NOT NULL,
                   time INTEGER NOT NULL, UNIQUE (sender, n, home));
CREATE TABLE homes (address TEXT PRIMARY KEY, home TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE points (home TEXT NOT NULL, room TEXT NOT NULL, seq INTEGER NOT NULL, chain TEXT NOT NULL,
                     PRIMARY KEY (home, room, seq)) WITHOUT ROWID;
INSERT INTO rows VALUES (6, 'b39ac4627470a0c3', 1, 'eb7f2800fdebe318', 'lobby', 'message', CAST('{"text":"stored, but nobody heard of it"}' AS BLOB), 0, 1795621799625);
INSERT INTO rows VALUES (7, 'b39ac4627470a0c3', 2, 'eb7f2800fdebe318', 'lobby', 'message', CAST('{"text":"said while the broker was away"}' AS BLOB), 0, 1795621799694);
INSERT INTO homes VALUES ('127.0.0.1:38223', 'eb7f2800fdebe318');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 1, '316f787d976a7f48');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 2, '6126a5e441a70f6b');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 3, '2d07c496c25ba3b3');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 4, '6a1fa76901e71049');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 5, '1f602b8a50eb4dbe');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 6, '26a4376e44c58965');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 7, '254449a4ea4decff');
INSERT INTO points VALUES ('eb7f2800fdebe318', 'lobby', 8, 'f42adf8d8d05fd06');
UPDATE sqlite_sequence SET seq = 7 WHERE name = 'rows';
