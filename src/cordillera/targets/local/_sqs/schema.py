"""The queue's tables. Times are milliseconds of the database's own clock, so that fronts agree."""

NOW_MS = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS queues (
        id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        name VARCHAR(90) CHARACTER SET ascii NOT NULL UNIQUE,
        attributes TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        changed_at BIGINT NOT NULL
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
    """,
    """
    CREATE TABLE IF NOT EXISTS messages (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        queue INT UNSIGNED NOT NULL,
        message_id CHAR(36) CHARACTER SET ascii NOT NULL,
        body MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        attributes MEDIUMTEXT NULL,
        group_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL,
        deduplication_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL,
        sent_at BIGINT NOT NULL,
        visible_at BIGINT NOT NULL,
        first_received_at BIGINT NULL,
        received INT UNSIGNED NOT NULL DEFAULT 0,
        receipt CHAR(32) CHARACTER SET ascii NULL,
        source INT UNSIGNED NULL,
        KEY due (queue, visible_at, id),
        KEY in_group (queue, group_id, id)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
    """,
    """
    CREATE TABLE IF NOT EXISTS deduplication (
        queue INT UNSIGNED NOT NULL,
        deduplication_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        message_id CHAR(36) CHARACTER SET ascii NOT NULL,
        sequence BIGINT UNSIGNED NOT NULL,
        sent_at BIGINT NOT NULL,
        PRIMARY KEY (queue, deduplication_id)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
    """,
)
