-- Written by version 0.1.0, schema 1. Never to be changed: later versions have to read it.
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
CREATE TABLE homes (home TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, broker TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rooms (id INTEGER PRIMARY KEY AUTOINCREMENT, home TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL,
                    mine INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0, draft TEXT NOT NULL DEFAULT '',
                    UNIQUE (home, room));
CREATE TABLE events (room INTEGER NOT NULL, seq INTEGER NOT NULL, chain TEXT NOT NULL, kind TEXT NOT NULL,
                     author TEXT NOT NULL, event BLOB NOT NULL, PRIMARY KEY (room, seq)) WITHOUT ROWID;
INSERT INTO homes VALUES ('eb7f2800fdebe318', 'u1', 'Ann', 'zmq-chat');
INSERT INTO rooms VALUES (1, 'eb7f2800fdebe318', 'bücher', 'bücher', 1, 5, 'half a sentence');
INSERT INTO rooms VALUES (2, 'eb7f2800fdebe318', 'lobby', 'lobby', 1, 8, '');
INSERT INTO events VALUES (1, 1, '9edb151f7add1cd9', 'created', 'u1', CAST('{"room":"bücher","seq":1,"time":1795621798808,"author":"u1","name":"Ann","kind":"created","chain":"9edb151f7add1cd9","body":{}}' AS BLOB));
INSERT INTO events VALUES (1, 2, 'f9667a290533cad1', 'joined', 'u1', CAST('{"room":"bücher","seq":2,"time":1795621798808,"author":"u1","name":"Ann","kind":"joined","chain":"f9667a290533cad1","body":{}}' AS BLOB));
INSERT INTO events VALUES (1, 3, 'ecdc5b6df857cbad', 'message', 'u1', CAST('{"room":"bücher","seq":3,"time":1795621798809,"author":"u1","name":"Ann","kind":"message","chain":"ecdc5b6df857cbad","sender":"3406a2976efd49e0","n":5,"body":{"text":"A room for books."}}' AS BLOB));
INSERT INTO events VALUES (1, 4, 'cc652e2d063191d6', 'joined', 'u2', CAST('{"room":"bücher","seq":4,"time":1795621799177,"author":"u2","name":"bob","kind":"joined","chain":"cc652e2d063191d6","body":{}}' AS BLOB));
INSERT INTO events VALUES (1, 5, '6e48ff6025de0eed', 'message', 'u2', CAST('{"room":"bücher","seq":5,"time":1795621799360,"author":"u2","name":"bob","kind":"message","chain":"6e48ff6025de0eed","sender":"fe32f7161ab877e75bcc15c69448d537","n":1,"body":{"text":"I am\nreading."}}' AS BLOB));
INSERT INTO events VALUES (2, 1, '316f787d976a7f48', 'created', 'u0', CAST('{"room":"lobby","seq":1,"time":1795621798752,"author":"u0","name":"broker","kind":"created","chain":"316f787d976a7f48","body":{}}' AS BLOB));
INSERT INTO events VALUES (2, 2, '6126a5e441a70f6b', 'joined', 'u1', CAST('{"room":"lobby","seq":2,"time":1795621798793,"author":"u1","name":"Ann","kind":"joined","chain":"6126a5e441a70f6b","body":{}}' AS BLOB));
INSERT INTO events VALUES (2, 3, '2d07c496c25ba3b3', 'message', 'u1', CAST('{"room":"lobby","seq":3,"time":1795621798799,"author":"u1","name":"Ann","kind":"message","chain":"2d07c496c25ba3b3","sender":"3406a2976efd49e0","n":1,"body":{"text":"Hello, it''s me."}}' AS BLOB));
INSERT INTO events VALUES (2, 4, '6a1fa76901e71049', 'message', 'u1', CAST('{"room":"lobby","seq":4,"time":1795621798803,"author":"u1","name":"Ann","kind":"message","chain":"6a1fa76901e71049","sender":"3406a2976efd49e0","n":2,"body":{"text":"Grüße, 東京 🙂 \"quoted\""}}' AS BLOB));
INSERT INTO events VALUES (2, 5, '1f602b8a50eb4dbe', 'message', 'u1', CAST('{"room":"lobby","seq":5,"time":1795621798803,"author":"u1","name":"Ann","kind":"message","chain":"1f602b8a50eb4dbe","sender":"3406a2976efd49e0","n":4,"body":{"text":"waves","me":true}}' AS BLOB));
INSERT INTO events VALUES (2, 6, '26a4376e44c58965', 'joined', 'u2', CAST('{"room":"lobby","seq":6,"time":1795621798996,"author":"u2","name":"bob","kind":"joined","chain":"26a4376e44c58965","body":{}}' AS BLOB));
INSERT INTO events VALUES (2, 7, '254449a4ea4decff', 'message', 'u2', CAST('{"room":"lobby","seq":7,"time":1795621799000,"author":"u2","name":"bob","kind":"message","chain":"254449a4ea4decff","sender":"932363e0f84832c3","n":1,"body":{"text":"Hello Ann"}}' AS BLOB));
INSERT INTO events VALUES (2, 8, 'f42adf8d8d05fd06', 'left', 'u2', CAST('{"room":"lobby","seq":8,"time":1795621799556,"author":"u2","name":"bob","kind":"left","chain":"f42adf8d8d05fd06","body":{}}' AS BLOB));
UPDATE sqlite_sequence SET seq = 5 WHERE name = 'rooms';
