-- A shop written for MySQL.
SET NAMES utf8mb4;
SET FOREIGN_KEY_CHECKS = 0;

CREATE TABLE `customers` (
  `id` int unsigned NOT NULL AUTO_INCREMENT, # the key
  `email` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'where the bill goes; it''s unique',
  `is_active` tinyint(1) NOT NULL DEFAULT '1',
  `status` enum('new','active','gone') NOT NULL DEFAULT 'new',
  `balance` double NOT NULL DEFAULT 0,
  `visits` int unsigned DEFAULT 0,
  `big` bigint unsigned DEFAULT NULL,
  `settings` json DEFAULT NULL,
  `photo` longblob,
  `order` int(11) NOT NULL DEFAULT 0,
  `token` char(36) NOT NULL DEFAULT (UUID()),
  `created_at` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `full_price` decimal(10,2) GENERATED ALWAYS AS (`visits` * 2) STORED,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_email` (`email`),
  KEY `idx_status` (`status`,`created_at` DESC),
  KEY `email_prefix` (`email`(10)),
  CONSTRAINT `chk_visits` CHECK (`visits` < 100)
) ENGINE=InnoDB AUTO_INCREMENT=100 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='People who buy';

CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL,
  total DECIMAL(10,2) UNSIGNED NOT NULL,
  paid BOOLEAN DEFAULT FALSE,
  ordered_on DATE,
  CONSTRAINT fk_customer FOREIGN KEY (customer_id) REFERENCES `customers` (`id`) ON DELETE RESTRICT ON UPDATE CASCADE
) ENGINE=InnoDB;

CREATE TABLE counters (name VARCHAR(20) PRIMARY KEY, n INT NOT NULL, seen DATETIME);

INSERT INTO customers (email, is_active, visits) VALUES ("a@x.org", 1, 3), ('it\'s@x.org', 0, 4);
INSERT IGNORE INTO customers (email) VALUES ('a@x.org');
INSERT INTO counters VALUES ('a', 1, NOW()) ON DUPLICATE KEY UPDATE n = n + VALUES(n), seen = NOW();
INSERT INTO counters (name, n) VALUES ('a', 5) AS new ON DUPLICATE KEY UPDATE n = counters.n + new.n;
UPDATE customers SET is_active = 0, visits = visits + 1 WHERE is_active = 1 AND created_at < DATE_SUB(NOW(), INTERVAL 30 DAY);
CREATE INDEX idx_paid ON orders (paid);

DELIMITER $$
CREATE DEFINER=`root`@`localhost` PROCEDURE add_visits(IN p_id INT, IN p_times INT, OUT p_total INT)
    COMMENT 'counts visits'
BEGIN
    DECLARE i, v_step INT DEFAULT 0;
    DECLARE v_status VARCHAR(20) DEFAULT 'none';
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        RESIGNAL;
    END;

    START TRANSACTION;
    IF p_times < 0 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'times must not be negative';
    ELSEIF p_times = 0 THEN
        SET v_step = 0;
    ELSE
        SET v_step = 1, i = 0;
    END IF;
    walk: WHILE i < p_times DO
        SET i = i + 1;
        IF i > 50 THEN
            LEAVE walk;
        END IF;
        UPDATE customers SET visits = visits + v_step WHERE id = p_id; # one more
    END WHILE walk;
    SELECT status INTO v_status FROM customers WHERE id = p_id;
    SELECT COUNT(*) INTO p_total FROM customers WHERE is_active = 1;
    REPEAT
        SET i = i - 1;
    UNTIL i <= 0 END REPEAT;
    again: LOOP
        SET i = i + 1;
        IF i < 3 THEN ITERATE again; END IF;
        LEAVE again;
    END LOOP;
    SET p_total = p_total + IF(v_status = 'none', 1000, i) + IFNULL(NULL, 0);
    COMMIT;
END$$

CREATE FUNCTION greet(p_name VARCHAR(50)) RETURNS VARCHAR(100) CHARSET utf8mb4 DETERMINISTIC
BEGIN
    RETURN CONCAT("Hello, ", p_name, '! ', 1);
END$$

CREATE TRIGGER orders_bi BEFORE INSERT ON orders FOR EACH ROW
BEGIN
    IF NEW.ordered_on IS NULL THEN
        SET NEW.ordered_on = CURDATE();
    END IF;
END$$
DELIMITER ;

CREATE VIEW open_orders AS SELECT o.id, CONCAT(c.email, '#', o.id) AS label, DATE_FORMAT(o.ordered_on, '%Y-%m') AS month FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.paid = 0;

DROP TABLE IF EXISTS `nothing`;
