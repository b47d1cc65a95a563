CREATE TABLE products (
  id INT PRIMARY KEY,
  cents INT NOT NULL
);

CREATE TABLE orders (
  id INT PRIMARY KEY AUTO_INCREMENT,
  request VARCHAR(100) NOT NULL UNIQUE,
  product_id INT NOT NULL,
  cents INT NOT NULL,
  FOREIGN KEY (product_id) REFERENCES products (id)
);

INSERT INTO products (id, cents) VALUES (1, 100), (2, 200), (3, 300), (7, 700);
