CREATE TABLE products (
  id INT PRIMARY KEY,
  cents INT NOT NULL
);

CREATE TABLE orders (
  id INT IDENTITY PRIMARY KEY,
  request VARCHAR(100) NOT NULL UNIQUE,
  product_id INT NOT NULL REFERENCES products (id),
  cents INT NOT NULL
);

INSERT INTO products (id, cents) VALUES (1, 100), (2, 200), (3, 300), (7, 700);
