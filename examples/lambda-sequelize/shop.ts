import { Signer } from '@aws-sdk/rds-signer';
import { DataTypes, Sequelize } from 'sequelize';
import type {
  CreationOptional,
  InferAttributes,
  InferCreationAttributes,
  Model,
  ModelStatic,
} from 'sequelize';
import { dialects } from './dialects.ts';
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
    ...dialects[settings.dialect](settings, signer),
    host,
    port,
    database,
    username: user,
    ...(password === undefined ? {} : { password }),
    // Lambda gives each instance one event at a time.
    pool: { max: 1, min: 0, acquire: patienceMs },
    logging: false,
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
