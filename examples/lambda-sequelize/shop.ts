import { Signer } from '@aws-sdk/rds-signer';
import mysql2 from 'mysql2';
import { DataTypes, Sequelize } from 'sequelize';
import type {
  CreationOptional,
  InferAttributes,
  InferCreationAttributes,
  Model,
  ModelStatic,
} from 'sequelize';
import type { Settings } from './settings.ts';

export interface Product extends Model<InferAttributes<Product>, InferCreationAttributes<Product>> {
  id: number;
  cents: number;
}

export interface Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  id: CreationOptional<number>;
  /** The request that the order came with: one that comes twice is written once. */
  request: string;
  productId: number;
  cents: number;
}

/** Who is trusted: the authorities that Node knows, Amazon's are among them, and those in NODE_EXTRA_CA_CERTS. */
const ssl = { rejectUnauthorized: true, verifyIdentity: true };

/** The shop's tables, by at most one connection, which is opened by the first statement. */
export interface Shop {
  readonly products: ModelStatic<Product>;
  readonly orders: ModelStatic<Order>;
  close(): Promise<void>;
}

/** Knows how to open the shop. It is to be made once, so that what it knows of credentials is kept while they are good. */
export function shopDoor(settings: Settings): () => Shop {
  const { region, host: hostname, port, user: username } = settings;
  const signer = new Signer({ region, hostname, port, username });
  return () => openShop(settings, signer);
}

function openShop(settings: Settings, signer: Signer): Shop {
  const { host, port, user, password, database, patienceMs } = settings;
  const sequelize = new Sequelize({
    dialect: 'mysql',
    // Bundlers do not see what Sequelize loads by a name; and it copies what it is given here, so that it is no more than it needs.
    dialectModule: { createConnection: mysql2.createConnection },
    host,
    port,
    database,
    username: user,
    ...(password === undefined ? {} : { password }),
    // Lambda gives each instance one event at a time.
    pool: { max: 1, min: 0, acquire: patienceMs },
    logging: false,
    dialectOptions: {
      connectTimeout: patienceMs,
      // mysql2 makes room for this many with each connection, at once; if nothing is said, for 16 000.
      maxPreparedStatements: 100,
      ...(password === undefined ? { authPlugins: tokens(signer) } : {}),
    },
    hooks: {
      // Sequelize would hand over a copy of what stands in its options, and mysql2 keeps TLS sessions with the object.
      beforeConnect: (config) => void Object.assign(config.dialectOptions ?? {}, { ssl }),
    },
  });
  return {
    products: sequelize.define<Product>(
      'Product',
      { id: { type: DataTypes.INTEGER, primaryKey: true }, cents: DataTypes.INTEGER },
      { tableName: 'products', timestamps: false },
    ),
    orders: sequelize.define<Order>(
      'Order',
      {
        id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
        request: DataTypes.STRING,
        productId: { type: DataTypes.INTEGER, field: 'product_id' },
        cents: DataTypes.INTEGER,
      },
      { tableName: 'orders', timestamps: false },
    ),
    close: () => sequelize.close(),
  };
}

/** A token for each connection, when it is asked for: it is good for 15 minutes, and mysql_clear_password ends it with NUL. */
function tokens(signer: Signer): object {
  return {
    mysql_clear_password: () => async () => Buffer.from(`${await signer.getAuthToken()}\0`),
  };
}
