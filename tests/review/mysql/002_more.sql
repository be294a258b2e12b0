/*!40101 SET NAMES utf8 */;
/*!40000 ALTER TABLE `counters` DISABLE KEYS */;
ALTER TABLE counters ADD COLUMN flag TINYINT(1) NOT NULL DEFAULT 0 AFTER n, ADD INDEX idx_n (n), ADD COLUMN note VARCHAR(20) COMMENT 'why';
ALTER TABLE `orders` ADD KEY `k_paid` (`paid`);
ALTER TABLE orders MODIFY COLUMN total DECIMAL(12,4) NOT NULL DEFAULT 0;
ALTER TABLE orders DROP FOREIGN KEY fk_customer;
INSERT INTO `customers` (`id`,`email`,`is_active`) VALUES (500,'b@x.org',1),(501,'c@x.org',0);
INSERT INTO customers (email) VALUES ('d@x.org');
